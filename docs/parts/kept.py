"""The run of the benchmarks that is kept in docs/benchmarks/, read from its page of tables."""

import re
from typing import NamedTuple

from parts.places import DOCS

KEPT = DOCS / "benchmarks"
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
HEADING = re.compile(r"^## ", re.MULTILINE)


class Section(NamedTuple):
    """A table of the page: its title, its text, and its rows without the head."""

    title: str
    text: str
    rows: list[list[str]]

    @property
    def contestants(self) -> list[str]:
        """The contestants of a race that were timed, in the order of the table."""
        return list(dict.fromkeys(row[2] for row in self.rows if row[3] != "-"))

    def times(self, contestant: str) -> dict[int, tuple[float, float, float]]:
        """Return lower quartile, median and upper quartile in seconds by size, on one thread."""
        found = [row for row in self.rows if row[1:3] == ["1", contestant] and row[3] != "-"]
        return {_size(row): _spread(row) for row in found}

    def ratios(self, contestant: str, threads: int) -> dict[int, float]:
        """Return the time of a contestant over minidl's by size."""
        found = [row for row in self.rows if row[1:3] == [str(threads), contestant] and row[3] != "-"]
        return {_size(row): float(row[5].split()[0]) for row in found}


def kept_text() -> str:
    """Return the page of the kept run; empty if there is none."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(KEPT.glob("*.md")))


def sections(text: str) -> list[Section]:
    """Return the tables of a page."""
    parts = (part.split("\n", 1) for part in HEADING.split(text)[1:])
    return [Section(title.strip(), body.strip(), _rows(body)) for title, body in parts]


def section(text: str, beginning: str) -> Section | None:
    """Return the table whose title begins so; None if the run has none."""
    return next((one for one in sections(text) if one.title.startswith(beginning)), None)


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[2:]]


def _size(row: list[str]) -> int:
    return int(row[0].replace(",", ""))


def _spread(row: list[str]) -> tuple[float, float, float]:
    low, high = row[4].split(" to ")
    return seconds(low), seconds(row[3]), seconds(high)


def seconds(words: str) -> float:
    """Return a duration in seconds: 0.0265 for `26.5 ms`."""
    value, unit = words.split()
    return float(value) * UNITS[unit]
