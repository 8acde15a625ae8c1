import re

import pytest
from parts import benchmarks, kept, timings
from parts.plots import Plot

HEAD = (
    "| size | threads | contestant | median | quartiles | over minidl's | cores busy | first call |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)
TRAINING = f"""# Measured

One run. Written on a day.

- processor: one

**3 of 5 timings: measure again.**

![Time](training.png)

## The same training with loss and accuracy of each epoch, as in fit: time per training

{HEAD}| 50 | 1 | minidl, fit | 300 ms | 290 ms to 310 ms | 1.00 (1.00 to 1.00) | 1.0 | 1 s |
| 50 | 1 | minidl, fit (native) | 30 ms | 29 ms to 31 ms | 0.10 (0.10 to 0.10) | 1.0 | 1 s |
| 50 | 1 | torch eager | 1.2 s | 1.1 s to 1.3 s | 4.00 (4.00 to 4.00) | 1.0 | 1 s |
| 50 | 1 | JAX, jitted scan | - | it is not installed |  |  |  |
"""
WIDE = f"""
## 784-w-w-10, batch 128, cross-entropy, by width: time per step

{HEAD}| 8 | 1 | torch eager | 2 ms | 1 ms to 3 ms | 2.00 (1.90 to 2.10) | 1.0 | 1 s |
| 64 | 1 | torch eager | 2 ms | 1 ms to 3 ms | 1.00 (0.90 to 1.10) | 1.0 | 1 s |
| 1,024 | 1 | torch eager | 2 ms | 1 ms to 3 ms | 0.50 (0.40 to 0.60) | 1.0 | 1 s |
| 8 | 2 | torch eager | 4 ms | 1 ms to 8 ms | 4.00 (3.90 to 4.10) | 2.0 | 1 s |
| 1,024 | 2 | torch eager | 4 ms | 1 ms to 8 ms | 0.70 (0.60 to 0.80) | 2.0 | 1 s |
"""
CLAIMS = """
## Claims

| claim | bound | median (quartiles) |  |
| --- | --- | --- | --- |
| a <b> | >= 5 x | 4.10 (3.53 to 5.51) x | MISSED |
| b | >= 5 x | 6.00 (5.53 to 6.51) x | met |
"""


@pytest.fixture
def page(monkeypatch):
    """Return a function that writes what the page includes, from a run, and returns it by names."""

    def written(text):
        files = {}
        monkeypatch.setattr(kept, "kept_text", lambda: text)
        monkeypatch.setattr(benchmarks, "write", files.__setitem__)
        benchmarks.write_benchmarks()
        return files

    return written


def test_a_table_is_read_with_times_in_seconds():
    table = kept.section(TRAINING, timings.TRAINING)
    assert table.contestants == ["minidl, fit", "minidl, fit (native)", "torch eager"]
    assert table.times("torch eager") == {50: (1.1, 1.2, 1.3)}
    assert kept.section(WIDE, timings.WIDE).ratios("torch eager", 1) == {8: 2.0, 64: 1.0, 1024: 0.5}
    assert kept.section(WIDE, "Claims") is None


@pytest.mark.parametrize(("words", "value"), [("2 s", 2.0), ("26.5 ms", 0.0265), ("7 us", 7e-6), ("51 ns", 5.1e-8)])
def test_durations_are_read_in_all_units(words, value):
    assert kept.seconds(words) == pytest.approx(value, rel=1e-15)


def test_bars_are_as_long_as_the_times_and_the_fastest_is_first():
    drawing = timings.bars(kept.section(TRAINING, timings.TRAINING))
    lengths = [float(found) for found in re.findall(r'<rect[^>]* width="([\d.]+)"', drawing)]
    assert [length / lengths[0] for length in lengths] == pytest.approx([1, 10, 40], rel=0.01)
    names = re.findall(r"drawing-left\"[^>]*>(minidl[^<]*|torch[^<]*)<", drawing)
    assert names == ["minidl, compiled engine", "minidl, on NumPy alone", "torch, eager mode"]


def test_a_ratio_to_torch_is_drawn_by_width():
    drawing = timings.chart(kept.section(WIDE, timings.WIDE))
    assert drawing.count('<polyline class="drawing-curve"') == 2  # the curve, and its piece in the legend
    assert ">1024</text>" in drawing


def test_on_logarithmic_axes_equal_factors_are_equal_distances():
    plot = Plot("y", (1, 10, 100), (1, 1000), "x", log=True)
    (x1, y1), (x2, y2), (x3, y3) = (plot.place(10.0**k, 10.0**k) for k in range(3))
    assert x2 - x1 == pytest.approx(x3 - x2)
    assert y2 - y1 == pytest.approx(y3 - y2)
    assert (x3, y1) == (plot.width - 12, plot.height - 40)


def test_ticks_are_the_powers_of_ten_around_the_values():
    assert timings.decades(38, 3400) == (10, 100, 1000, 10000)
    assert timings.decades(0.1, 1) == (0.1, 1)


def test_every_table_is_folded_and_says_what_it_holds(page):
    files = page(TRAINING + WIDE + CLAIMS)
    tables = files["benchmarks/tables.md"]
    assert tables.count("<details>") == tables.count("</details>") == 4
    outside = re.sub(r"<details>.*?</details>", "", tables, flags=re.DOTALL)
    assert not outside.strip()
    assert "<summary>Claims: 1 met, 1 missed or not measured</summary>" in tables
    assert "784-w-w-10, batch 128, cross-entropy, by width: time per step (5 rows)</summary>" in tables
    assert "- processor: one" in tables
    assert "training.png" not in tables
    assert files["benchmarks/doubts.md"] == "**3 of 5 timings: measure again.**"


def test_a_run_without_tables_leaves_a_page_that_says_so(page):
    files = page("")
    assert files["benchmarks/tables.md"] == benchmarks.NONE
    assert files["benchmarks/chart.html"] == ""


def test_the_kept_run_fills_the_page_with_its_charts(page):
    text = kept.kept_text()
    tables = page(text)["benchmarks/tables.md"]
    assert tables.count("<svg class") == len(timings.CHARTS) + 1
    assert len(kept.sections(text)) == text.count("\n## ")
    assert all(benchmarks.measured().values())


def test_results_that_the_run_lacks_are_errors_of_the_build(monkeypatch):
    monkeypatch.setattr(kept, "kept_text", lambda: TRAINING + WIDE)
    with pytest.raises(LookupError, match="no table 'Claims'"):
        benchmarks.measured()
    with pytest.raises(LookupError, match="no claim 'b'"):
        benchmarks._claim(TRAINING, "b")
    training, wide = kept.section(TRAINING, timings.TRAINING), kept.section(WIDE, timings.WIDE)
    widths = {"narrow": "8", "torch_narrow": "2", "wide": "1024", "torch_wide": "0.5"}
    assert benchmarks._widths(wide) == widths
    with pytest.raises(LookupError, match="has no 'scikit-learn'"):
        benchmarks._time(training, "scikit-learn")
    with pytest.raises(LookupError, match="torch is not in the table"):
        benchmarks._widths(wide._replace(rows=[]))
