"""Drawings as inline SVG, in the colours of the page, for both its light and its dark scheme."""

from dataclasses import dataclass

CELL = 26
TINTS = ("drawing-a", "drawing-b", "drawing-c", "drawing-d")
"""Style classes of _static/site.css, one colour per parameter."""


@dataclass(frozen=True)
class Box:
    """A block of cells: the position of its upper left corner, and its rows and columns."""

    x: float
    y: float
    rows: int
    columns: int

    @property
    def middle(self) -> float:
        """The x of the centre."""
        return self.x + self.columns * CELL / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.columns * CELL

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.rows * CELL


def cells(box: Box, tint: str, first: int | None = None) -> list[str]:
    """Draw the cells of a box, numbered from `first` row by row."""
    parts = []
    for index in range(box.rows * box.columns):
        row, column = divmod(index, box.columns)
        x, y = box.x + column * CELL, box.y + row * CELL
        parts.append(f'<rect class="{tint}" x="{x}" y="{y}" width="{CELL}" height="{CELL}"/>')
        if first is not None:
            parts.append(text(x + CELL / 2, y + CELL / 2 + 4, str(first + index), "drawing-small"))
    return parts


def text(x: float, y: float, words: str, kind: str = "drawing-text") -> str:
    """Draw text, centred at x."""
    return f'<text class="{kind}" x="{x}" y="{y}">{words}</text>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """Draw a thin line."""
    return f'<line class="drawing-line" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def bracket(left: float, right: float, y: float, words: str) -> list[str]:
    """Draw a bracket below y from left to right, with a label under it."""
    ends = [line(left + 2, y, left + 2, y + 7), line(right - 2, y, right - 2, y + 7)]
    return [*ends, line(left + 2, y + 7, right - 2, y + 7), text((left + right) / 2, y + 22, words)]


def svg(width: float, height: float, parts: list[str], title: str) -> str:
    """Return the drawing; the title is what a screen reader says."""
    head = f'<svg class="drawing" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{title}">'
    return "\n".join([head, f"<title>{title}</title>", *parts, "</svg>"])


def picture(width: float, height: float, parts: list[str], title: str) -> str:
    """Return the drawing with its frame, which scrolls in a narrow window."""
    return "\n".join(['<div class="drawing-frame">', svg(width, height, parts, title), "</div>", ""])


def row(drawings: list[str]) -> str:
    """Return drawings side by side, one below the other in a narrow window."""
    return "\n".join(['<div class="drawing-row">', *drawings, "</div>", ""])
