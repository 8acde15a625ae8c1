"""What is unusual about columns of text: numbers with signs and separators, and texts that never come again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from minidl_experiments.tabular.cells import Cells
from minidl_experiments.tabular.words import number_like


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
        if text := number_like(different):
            yield (
                f"column {name!r} is taken as text, since {text!r} is no number: write numbers without signs and "
                "separators"
            )
        elif 2 * len(different) > len(there):
            yield f"column {name!r} has {len(different)} different texts in {len(there)} rows: --drop {name}?"
