"""The page of benchmarks, and single results for other pages, from the run that is kept in docs/benchmarks/."""

import re
from html import escape

from parts import kept, timings
from parts.markdown import table
from parts.places import write

NONE = "Not in the run that is kept here: `nox -s benchmarks -- --page docs/benchmarks` measures it.\n"
CLAIMS = {
    "reproduce_numpy": "minidl reproduce --seeds 100, all threads, on NumPy",
    "reproduce_native": "minidl reproduce --seeds 100, all threads, native",
    "replicate_share": "100 replicates: time per replicate over one network alone",
}
"""Names for the pages, and the claims of the kept run whose medians they stand for."""
TIMES = {
    "torch_times": "native, 50 epochs: faster than torch eager, fused Adam",
    "sklearn_times": "native, 50 epochs: faster than scikit-learn",
    "jax_times": "native, 50 epochs: faster than JAX's jitted scan",
}
"""The same for claims whose medians are cited as a number of times."""
TRAININGS = {"fit_native": "minidl, fit (native)", "fit_numpy": "minidl, fit"}
"""The same for the times of the chart at the top of the page."""


def write_benchmarks() -> None:
    """Write what the page of benchmarks includes: the chart at its top, and all tables, folded."""
    text = kept.kept_text()
    training = kept.section(text, timings.TRAINING)
    write("benchmarks/chart.html", timings.bars(training) if training else "")
    write("benchmarks/doubts.md", "\n".join(line for line in text.splitlines() if line.startswith("**")))
    write("benchmarks/tables.md", "\n".join([_about(text), *map(_folded, kept.sections(text))]) if text else NONE)
    write("benchmarks/sklearn.md", _claims_about(text, "scikit-learn over minidl_sklearn") or NONE)


def measured() -> dict[str, str]:
    """Return the results that pages cite as `{{ name }}`: medians with two digits; of one network's time in percent."""
    text = kept.kept_text()
    training, wide = _section(text, timings.TRAINING), _section(text, timings.WIDE)
    words = [row[-1] for row in _section(text, "Claims").rows]
    return {
        **{name: _median(text, claim) for name, claim in CLAIMS.items()},
        **{name: f"{_claim(text, claim)[0]:.2g}" for name, claim in TIMES.items()},
        **{name: _time(training, contestant) for name, contestant in TRAININGS.items()},
        **_widths(wide),
        "claims": str(len(words)),
        "claims_met": str(words.count("met")),
    }


def _section(text: str, beginning: str) -> kept.Section:
    found = kept.section(text, beginning)
    if found is None:
        raise LookupError(f"docs/parts/benchmarks.py: the kept run has no table {beginning!r}")
    return found


def _time(training: kept.Section, contestant: str) -> str:
    found = training.times(contestant)
    if not found:
        raise LookupError(f"docs/parts/benchmarks.py: the table {training.title!r} has no {contestant!r}")
    ((_, median, _),) = found.values()
    return f"{1e3 * median:.0f}\N{NO-BREAK SPACE}ms"


def _widths(wide: kept.Section) -> dict[str, str]:
    """Return the least and the greatest width, and how many times as long torch takes there, on one thread."""
    ratios = wide.ratios("torch eager", 1)
    if not ratios:
        raise LookupError(f"docs/parts/benchmarks.py: torch is not in the table {wide.title!r}")
    least, greatest = min(ratios), max(ratios)
    return {
        "narrow": str(least), "torch_narrow": f"{ratios[least]:.2g}", "wide": str(greatest),
        "torch_wide": f"{ratios[greatest]:.2g}",
    }  # fmt: skip


def _claims_about(text: str, words: str) -> str:
    """Return the claims of the kept run that contain some words as a table; empty if there are none."""
    claims = kept.section(text, "Claims")
    rows = [row for row in claims.rows if row[0].endswith(words)] if claims else []
    return table(["claim", "bound", "median (quartiles)", ""], rows, "lrrl") if rows else ""


def _median(text: str, claim: str) -> str:
    """Return a claim's median with its unit."""
    value, unit = _claim(text, claim)
    return f"{100 * value:.2g}\N{NO-BREAK SPACE}%" if unit == "x" else f"{value:.2g}\N{NO-BREAK SPACE}{unit}"


def _claim(text: str, claim: str) -> tuple[float, str]:
    """Return a claim's median and unit; every claim is a row `| claim | wanted | median (quartiles) unit | |`."""
    row = re.search(rf"^\| {re.escape(claim)} \|[^|]*\| ([\d.]+) \([^)]*\) (\w+) \|", text, re.MULTILINE)
    if row is None:
        raise LookupError(f"docs/parts/benchmarks.py: the kept run has no claim {claim!r}")
    return float(row[1]), row[2]


def _about(text: str) -> str:
    """Return when and where the run was made: what stands before its tables and charts."""
    lines = kept.HEADING.split(text)[0].splitlines()
    words = [line for line in lines if not line.startswith(("# ", "![", "**"))]
    return _fold("When, where and how this was measured", "\n".join(words).strip())


def _folded(section: kept.Section) -> str:
    return _fold(_summary(section), f"{timings.chart(section)}\n{section.text}")


def _summary(section: kept.Section) -> str:
    """Return a line that says what a table holds."""
    if section.title == "Claims":
        met = sum(row[-1] == "met" for row in section.rows)
        return f"Claims: {met} met, {len(section.rows) - met} missed or not measured"
    return f"{section.title} ({len(section.rows)} rows)"


def _fold(summary: str, content: str) -> str:
    return f"<details>\n<summary>{escape(summary)}</summary>\n\n{content}\n\n</details>\n"
