"""Every module against torch: values, gradients, shapes, layouts, edge values, copies."""

import copy
import math
import pickle
import warnings

import numpy as np
import pytest
import torch

from conformance.arrays import BACKENDS, DTYPES, DY_EDGES, EDGES, LAYOUTS, SHAPES, as_library, as_numpy, random
from conformance.differences import MINUS_INFINITY, NAN_AT_NAN, SLOPE_AT_NAN
from conformance.module_cases import MODULES
from conformance.pair import Pair, full_check
from conformance.ulp import assert_within

by_case = pytest.mark.parametrize("case", MODULES, ids=str)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_precise_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
by_backend = pytest.mark.parametrize("backend", BACKENDS)


@by_backend
@by_dtype
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@by_case
def test_values_and_gradients(case, training, dtype, backend, rng, table):
    shape = (7, case.features)
    full_check(Pair(case, dtype, backend, shape, table, training=training), rng, random(rng, shape, dtype))


@by_backend
@by_precise_dtype
@pytest.mark.parametrize("axes", SHAPES.values(), ids=SHAPES)
@by_case
def test_axes_in_front(case, axes, dtype, backend, rng, table):
    shape, enough = (*axes, case.features), math.prod(axes) >= case.samples
    full_check(Pair(case, dtype, backend, shape, table, training=enough), rng, random(rng, shape, dtype))


@by_backend
@by_precise_dtype
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@by_case
def test_layouts_in_memory(case, layout, dtype, backend, rng, table):
    x = layout(random(rng, (6, case.features), dtype))
    full_check(Pair(case, dtype, backend, x.shape, table), rng, x, layout)


@by_backend
@by_dtype
@pytest.mark.parametrize("case", [case for case in MODULES if case.edges], ids=str)
def test_edge_values(case, dtype, backend, rng, table):
    x = np.array([EDGES], dtype)
    if case.name.startswith("Dropout") or MINUS_INFINITY in case.differences:
        x = x[:, np.isfinite(x[0])]  # 0 * inf is nan in both and a warning here, or in torch alone
    pair = Pair(case, dtype, backend, x.shape, table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pair.forward(x)
        backward_at_edges(pair, x, random(rng, x.shape, dtype))


@by_backend
@by_dtype
@pytest.mark.parametrize("case", [case for case in MODULES if case.edges], ids=str)
def test_edge_values_from_above(case, dtype, backend, table):
    x = np.array([[edge for edge in EDGES if np.isfinite(edge)]], dtype)
    pair = Pair(case, dtype, backend, x.shape, table)
    pair.forward(x)
    for edge in DY_EDGES:
        with np.errstate(invalid="ignore"):  # 0 * inf is nan in both, and a warning here
            pair.backward(np.full(x.shape, edge, dtype))


def backward_at_edges(pair, x, dy):
    at_nan = {NAN_AT_NAN: np.nan, SLOPE_AT_NAN: 0}
    own = [value for difference, value in at_nan.items() if difference in pair.case.differences]
    if not own:
        pair.backward(dy)
        return
    pair.y.backward(torch.from_numpy(dy))
    ours, known = as_numpy(pair.our_backward(dy)), ~np.isnan(x)
    pair.same("dL/dx where x is no nan", ours[known], pair.x.grad.numpy()[known], "element")
    np.testing.assert_array_equal(ours[~known], own)


@by_backend
@by_case
def test_copies_behave_alike(case, backend, rng, table):
    x = random(rng, (7, case.features), "float32")
    original = case.ours("float32", backend)
    for twin in (copy.deepcopy(original), pickle.loads(pickle.dumps(original))):
        pair = Pair(case, "float32", backend, x.shape, table)
        twin.load_state_dict(pair.ours.state_dict())
        pair.ours = twin
        full_check(pair, rng, x)
        assert all(np.shares_memory(as_numpy(twin.values), as_numpy(param.value)) for param in twin.params())


@by_backend
@by_dtype
@pytest.mark.parametrize("case", [case for case in MODULES if case.ours("float32", "numpy").statistics], ids=str)
def test_statistics(case, dtype, backend, rng, table):
    pair = Pair(case, dtype, backend, (7, case.features), table)
    for _ in range(5):
        pair.forward(random(rng, (7, case.features), dtype))
    theirs = pair.theirs.state_dict()
    for name, ours in pair.ours.state_dict().items():
        assert str(as_numpy(ours).dtype) == str(theirs[name].numpy().dtype)
        if as_numpy(ours).dtype == dtype:
            pair.same(name, ours, theirs[name], "array")
        else:
            np.testing.assert_array_equal(as_numpy(ours), theirs[name].numpy())


@by_backend
@by_case
def test_infer_is_forward_in_evaluation(case, backend, rng):
    module = case.ours("float32", backend)
    x = as_library(random(rng, (7, case.features), "float32"), backend)
    inferred = as_numpy(module.infer(x)).copy()
    assert module._saved is None
    np.testing.assert_array_equal(inferred, as_numpy(module.eval().forward(x)))


@by_case
def test_same_numbers_on_both_libraries(case, rng):
    x = random(rng, (7, case.features), "float64")
    ours, tensors = case.ours("float64", "numpy"), case.ours("float64", "torch")
    y, y_tensor = ours.forward(x), as_numpy(tensors.forward(torch.from_numpy(x)))
    assert_within(case.ulp["float64"], f"{case}: y on arrays is not y on tensors", y, y_tensor, case.unit)
