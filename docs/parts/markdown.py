"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """Return a table; `align` has one letter per column, l or r."""
    rules = ["---:" if letter == "r" else "---" for letter in align]
    return "\n".join(map(_line, [header, rules, *rows])) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
