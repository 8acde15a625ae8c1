"""Plots as inline SVG: axes with curves or bars, narrow enough for a phone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log10

from parts.drawing import line, svg, text

CURVES = ("", " drawing-curve-b", " drawing-curve-c", " drawing-curve-d")
"""Style classes of _static/site.css: the colour and the dashes of each curve."""
LEFT, TOP, BELOW, RIGHT = 42.0, 46.0, 40.0, 12.0
LETTER = 6.2  # the width of a letter in the legend, roughly
RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


@dataclass
class Plot:
    """A plot; an axis ends at its first and last tick, the x axis by `margin` further out.

    With `log` both axes are logarithmic. On the axes in `powers`, "x", "y" or "xy", the numbers are exponents of ten
    themselves, and the ticks are labelled as powers.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]
    label: str
    width: float = 330
    height: float = 250
    margin: float = 0
    log: bool = False
    powers: str = ""
    parts: list[str] = field(default_factory=list)
    legend: list[str] = field(default_factory=list)

    @property
    def _left(self) -> float:
        return self.x[0] - self.margin

    @property
    def _right(self) -> float:
        return self.x[-1] + self.margin

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point in the drawing."""
        across = self._share(x, self._left, self._right)
        up = self._share(y, self.y[0], self.y[-1])
        wide, high = self.width - LEFT - RIGHT, self.height - TOP - BELOW
        return LEFT + across * wide, TOP + (1 - up) * high

    def _share(self, value: float, first: float, last: float) -> float:
        if self.log:
            value, first, last = log10(value), log10(first), log10(last)
        return (value - first) / (last - first)

    def curve(self, name: str, xs: Iterable[float], ys: Iterable[float], kind: int = 0) -> None:
        """Draw a curve, which the edge of the plot cuts off, with its name in the legend."""
        points = " ".join("{:.1f},{:.1f}".format(*self.place(x, y)) for x, y in zip(xs, ys, strict=True))
        self.parts.append(f'<polyline class="drawing-curve{CURVES[kind]}" points="{points}"/>')
        self.legend.append(name)

    def band(self, xs: Iterable[float], low: Iterable[float], high: Iterable[float], kind: int = 0) -> None:
        """Fill the space between two curves, in the colour of a curve that will be drawn on it."""
        xs = list(xs)
        places = [*zip(xs, high, strict=True), *reversed(list(zip(xs, low, strict=True)))]
        points = " ".join("{:.1f},{:.1f}".format(*self.place(x, y)) for x, y in places)
        self.parts.append(f'<polygon class="drawing-band drawing-tint-{kind}" points="{points}"/>')

    def bar(self, x: float, y: float, kind: str, half: float = 0.3) -> None:
        """Draw a bar from 0 to y."""
        left, upper = self.place(x - half, max(y, 0.0))
        right, lower = self.place(x + half, min(y, 0.0))
        size = f'width="{right - left:.1f}" height="{lower - upper:.1f}"'
        self.parts.append(f'<rect class="{kind}" x="{left:.1f}" y="{upper:.1f}" {size} style="stroke: none"/>')

    def svg(self, title: str) -> str:
        """Return the drawing; the title is what a screen reader says."""
        left, top = self.place(self._left, self.y[-1])
        right, bottom = self.place(self._right, self.y[0])
        box = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
        curves = [f'<svg {box} viewBox="{left} {top} {right - left} {bottom - top}">', *self.parts, "</svg>"]
        high = 16 if self.legend else TOP - 12
        words = [text((left + right) / 2, y, label) for y, label in ((high, self.title), (self.height - 6, self.label))]
        return svg(self.width, self.height, [*self._axes(), *curves, *words, *self._legend()], title)

    def _axes(self) -> list[str]:
        (left, top), (right, bottom) = self.place(self._left, self.y[-1]), self.place(self._right, self.y[0])
        parts = []
        for x in self.x:
            column, label = self.place(x, self.y[0])[0], self._label("x", x)
            parts += [_grid(column, top, column, bottom), text(column, bottom + 15, label, "drawing-small")]
        for y in self.y:
            level, label = self.place(self.x[0], y)[1], self._label("y", y)
            parts += [_grid(left, level, right, level), text(left - 18, level + 4, label, "drawing-small")]
        x, y = self.place(
            self._left if "x" in self.powers else max(self._left, 0),
            self.y[0] if "y" in self.powers else max(self.y[0], 0),
        )
        return [*parts, line(left, y, right, y), *([] if self.margin else [line(x, top, x, bottom)])]

    def _label(self, axis: str, value: float) -> str:
        return f"10{str(value).translate(RAISED)}" if axis in self.powers else _number(value)

    def _legend(self) -> list[str]:
        widths = [40 + LETTER * len(name) for name in self.legend]
        x, parts = (self.width + LEFT - RIGHT - sum(widths)) / 2, []
        for name, kind, width in zip(self.legend, CURVES, widths, strict=False):
            parts.append(f'<polyline class="drawing-curve{kind}" points="{x},{TOP - 16} {x + 20},{TOP - 16}"/>')
            parts.append(text(x + 24, TOP - 12, name, "drawing-small drawing-left"))
            x += width
        return parts


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="drawing-grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _number(value: float) -> str:
    for least, size, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if value >= least:
            return f"{value / size:g}{letter}"
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
