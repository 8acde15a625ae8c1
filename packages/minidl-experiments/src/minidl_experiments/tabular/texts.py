"""What is unusual about columns of text: numbers with signs and separators, and texts that never come again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from minidl_experiments.tabular.cells import Cells
from minidl_experiments.tabular.words import asked, why_text


def text_notes(cells: Mapping[str, Cells], categorical: Sequence[str]) -> Iterator[str]:
    """Yield what is unusual about columns of text that nobody has called categorical.

    Parameters
    ----------
    cells : mapping of str to Cells
    categorical : sequence of str
    """
    for name, column in cells.items():
        if column.are_numbers or name in categorical:
            continue
        there = column.entries[~column.missing].tolist()
        different = sorted(set(there))
        if why := why_text(different):
            yield f"column {name!r} is taken as text, since {why}"
        elif 2 * len(different) > len(there):
            drop = asked("--drop", [name])
            yield f"column {name!r} has {len(different)} different texts in {len(there)} rows: {drop}?"
