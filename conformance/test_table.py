"""The table that the site shows, docs/conformance/table.json, has the cases and tolerances of the code."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from conformance import test_engine
from conformance.arrays import DTYPES
from conformance.loss_cases import LOSSES
from conformance.module_cases import MODULES
from conformance.optimizer_cases import OPTIMIZERS
from conformance.sklearn_cases import trainings
from conformance.test_optimizers import STEPS
from conformance.test_there_and_back import LEGS

COMMITTED = Path(__file__).parents[1] / "docs" / "conformance" / "table.json"


def tolerances():
    """Yield case, dtype and tolerance of every row that a run of everything writes."""
    for case in (*MODULES, *LOSSES):
        yield from ((case.name, dtype, case.ulp[dtype]) for dtype in DTYPES)
    for case in OPTIMIZERS:
        yield from ((f"{case}, each step", dtype, case.ulp) for dtype in DTYPES)
        yield f"{case}, {STEPS} steps", "float64", case.drift
        yield f"{case}, {STEPS} steps, engine", "float64", case.drift
        yield f"{case}, {LEGS}", "float64", case.drift
    for name in (*map(str, LOSSES), *map(str, (*test_engine.ACTIVATIONS, *test_engine.LAYERS))):
        yield from ((f"{name}, engine", dtype, tolerance) for dtype, tolerance in test_engine.ULP.items())
    yield from ((f"{estimator}, {case}, on {data_set}", *rest) for case, estimator, data_set, *rest in trainings())
    yield "odd widths and batches, engine", "float64", test_engine.ULP["float64"]


@pytest.mark.skipif(find_spec("minidl_native") is None, reason="the engine tells which rows it has")
def test_the_committed_table_is_that_of_the_code(request):
    if request.config.getoption("table") and request.config.getoption("table").resolve() == COMMITTED.resolve():
        pytest.skip("this run writes the table anew")
    rows = json.loads(COMMITTED.read_text(encoding="utf-8"))["rows"]
    kept = {(row["case"], row["dtype"], row["tolerance"]) for row in rows}
    stale = sorted(kept ^ set(tolerances()))
    assert not stale, f"write it anew: nox -s conformance -- --table=docs/conformance/table.json ({stale})"


def test_no_error_in_it_is_beyond_its_tolerance():
    rows = json.loads(COMMITTED.read_text(encoding="utf-8"))["rows"]
    assert not [row for row in rows if not row["ulp"] <= row["tolerance"]]
