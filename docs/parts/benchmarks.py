"""The page of benchmarks, and single results for other pages, from the run that is kept in docs/benchmarks/."""

import re

from parts.markdown import table
from parts.places import DOCS, write

KEPT = DOCS / "benchmarks"
NONE = "Not in the run that is kept here: `nox -s benchmarks -- --page docs/benchmarks` measures it.\n"
CLAIMS = {
    "reproduce_numpy": "minidl reproduce --seeds 100, all threads, on NumPy",
    "reproduce_native": "minidl reproduce --seeds 100, all threads, native",
    "replicate_share": "100 replicates: time per replicate over one network alone",
}
"""Names for the pages, and the claims of the kept run whose medians they stand for."""


def write_benchmarks() -> None:
    """Write what the page of benchmarks includes: all pages of the kept run."""
    parts = [_as_part(path.read_text(encoding="utf-8")) for path in sorted(KEPT.glob("*.md"))]
    write("benchmarks.md", "\n".join(parts) or NONE)
    write("benchmarks/sklearn.md", _claims_about("scikit-learn over minidl_sklearn") or NONE)


def measured() -> dict[str, str]:
    """Return the results that pages cite as `{{ name }}`: medians with two digits; of one network's time in percent."""
    text = "".join(path.read_text(encoding="utf-8") for path in KEPT.glob("*.md"))
    return {name: _median(text, claim) for name, claim in CLAIMS.items()}


def _claims_about(words: str) -> str:
    """Return the claims of the kept run that contain some words as a table; empty if there are none."""
    lines = [line for path in KEPT.glob("*.md") for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if f"{words} |" in line]
    return table(["claim", "bound", "median (quartiles)", ""], rows, "lrrl") if rows else ""


def _median(text: str, claim: str) -> str:
    """Return a claim's median with its unit; every claim is a row `| claim | wanted | median (quartiles) unit | |`."""
    row = re.search(rf"^\| {re.escape(claim)} \|[^|]*\| ([\d.]+) \([^)]*\) (\w+) \|", text, re.MULTILINE)
    if row is None:
        raise LookupError(f"docs/parts/benchmarks.py: the kept run has no claim {claim!r}")
    value, unit = float(row[1]), row[2]
    return f"{100 * value:.2g}\N{NO-BREAK SPACE}%" if unit == "x" else f"{value:.2g}\N{NO-BREAK SPACE}{unit}"


def _as_part(text: str) -> str:
    """Return a page as a part of another: headings one level lower, images found from the folder above."""
    lowered = re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)
    return re.sub(r"(!\[[^\]]*\]\()(?!/|\w+:)", rf"\1{KEPT.name}/", lowered)
