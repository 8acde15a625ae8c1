"""The page of timings: whatever the last run of the benchmarks left in docs/benchmarks/."""

import re
from pathlib import Path

from parts.places import DOCS, write

NONE = "There are no timings here yet: `nox -s benchmarks` measures them.\n"


def write_benchmarks() -> None:
    """Write what the page of timings includes: all that lies in docs/benchmarks/."""
    parts = [_as_part(path) for path in sorted((DOCS / "benchmarks").glob("*.md"))]
    write("benchmarks.md", "\n".join(parts) or NONE)


def _as_part(path: Path) -> str:
    """Return a page as a part of another: headings one level lower, images found from the folder above."""
    lowered = re.sub(r"^(#+ )", r"#\1", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return re.sub(r"(!\[[^\]]*\]\()(?!/|\w+:)", rf"\1{path.parent.name}/", lowered)
