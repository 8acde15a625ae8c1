"""The figures of README.md are the medians of claims."""

from pathlib import Path

import pytest

from benchmarks.claims import CLAIMS
from benchmarks.page import FIGURE, fill_figures
from benchmarks.records import Key, Records, Timing

README = Path(__file__).parents[1] / "README.md"
CLAIM = "native, 50 epochs: faster than torch eager, fused Adam"
OTHER = "native, 50 epochs: faster than scikit-learn"


def test_a_measured_figure_is_replaced_and_another_one_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"<!-- measured: {CLAIM} -->1<!-- end --> and <!-- measured: {OTHER} -->2<!-- end -->")
    seconds = {"torch eager": [7.0, 14.0, 7.0], "minidl, fit (native)": [2.0, 2.0, 2.0]}
    timings = {Key("fit", 50, name): Timing(taken, 1.0, 0.0) for name, taken in seconds.items()}
    fill_figures(Records(timings), page)
    assert page.read_text() == f"<!-- measured: {CLAIM} -->3.5<!-- end --> and <!-- measured: {OTHER} -->2<!-- end -->"


def test_a_mark_without_a_claim_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: no such claim -->1<!-- end -->")
    with pytest.raises(LookupError, match="there is no claim 'no such claim'"):
        fill_figures(Records(), page)


def test_every_mark_of_the_readme_names_a_claim():
    marks = [mark for _, mark, _ in FIGURE.findall(README.read_text("utf-8"))]
    assert len(marks) > 1
    assert set(marks) <= {claim.text for claim in CLAIMS}
