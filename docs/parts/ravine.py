"""Four optimizers on two ravines: their paths and losses step by step, which _static/ravine.js plays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import minidl
from parts.drawing import row
from parts.paths import START, STEEP, Build, walk
from parts.plots import CURVES, Plot

MARKS = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "M-3.5-3.5h7v7h-7z", "M0-4.5L4.5 3.5H-4.5z", "M0-5L5 0L0 5L-5 0z")
"""A circle, a square, a triangle and a diamond, one for each optimizer."""
LEVELS = (0.5, 2, 5, 10, 18, 30)
ANGLES = np.linspace(0, 2 * np.pi, 121)


@dataclass(frozen=True)
class Ravine:
    """A loss of two parameters, which is half a sum of two squares.

    `point` has the parameters for the two terms (p, q) of the sum p² + q², so that a contour is the image of a circle.
    """

    name: str
    loss: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray], np.ndarray]
    point: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    x: tuple[float, ...]
    y: tuple[float, ...]
    label: str
    exponents: range
    height: float
    start: tuple[float, float]
    steps: int
    optimizers: dict[str, Build]


def _straight() -> Ravine:
    return Ravine(
        name="straight",
        loss=lambda theta: (STEEP * theta**2).sum(axis=-1) / 2,
        gradient=lambda theta: STEEP * theta,
        point=lambda p, q: (p, q / 5),
        x=(-5, -2.5, 0, 2.5),
        y=(-2, -1, 0, 1, 2),
        label="x along the ravine, y across it",
        exponents=range(-6, 3, 2),
        height=250,
        start=START,
        steps=60,
        optimizers={
            "SGD": lambda model: minidl.SGD(model, 0.07),
            "momentum": lambda model: minidl.SGD(model, 0.02, momentum=0.8),
            "RMSprop": lambda model: minidl.RMSprop(model, 0.1, alpha=0.9),
            "Adam": lambda model: minidl.Adam(model, 0.2),
        },
    )


def _curved() -> Ravine:
    """Return the ravine of ((x - 2)² + 25 (y - x²/4)²) / 2."""

    def gradient(theta: np.ndarray) -> np.ndarray:
        x, y = theta
        across = 25 * (y - x**2 / 4)
        return np.array([x - 2 - across * x / 2, across])

    return Ravine(
        name="curved",
        loss=lambda theta: ((theta[..., 0] - 2) ** 2 + 25 * (theta[..., 1] - theta[..., 0] ** 2 / 4) ** 2) / 2,
        gradient=gradient,
        point=lambda p, q: (2 + p, (2 + p) ** 2 / 4 + q / 5),
        x=(-5, -2.5, 0, 2.5),
        y=(-1, 0, 1, 2, 3, 4),
        label="x, with y upwards",
        exponents=range(-3, 3),
        height=310,
        start=(-4.0, 2.8),
        steps=100,
        optimizers={
            "SGD": lambda model: minidl.SGD(model, 0.014),
            "momentum": lambda model: minidl.SGD(model, 0.004, momentum=0.9),
            "RMSprop": lambda model: minidl.RMSprop(model, 0.1, alpha=0.9),
            "Adam": lambda model: minidl.Adam(model, 0.2),
        },
    )


def straight() -> str:
    """Draw the ravine whose floor is an axis."""
    return _draw(_straight())


def curved() -> str:
    """Draw the ravine whose floor is a parabola."""
    return _draw(_curved())


def _draw(ravine: Ravine) -> str:
    """Draw the paths beside the losses, with the controls, which the script shows."""
    size = {"width": 350, "height": ravine.height}
    paths = Plot("position", ravine.x, ravine.y, ravine.label, **size)
    ticks = range(0, ravine.steps + 1, ravine.steps // 5)
    losses = Plot("loss", ticks, ravine.exponents, "step", **size, margin=ravine.steps / 40, powers="y")
    paths.parts += [_contour(paths, ravine, level) for level in LEVELS]
    names = []
    for kind, (name, build) in enumerate(ravine.optimizers.items()):
        places = walk(build, ravine.start, lambda _, theta: ravine.gradient(theta), ravine.steps)
        values = ravine.loss(places)
        paths.parts += _trail(paths, kind, *places.T, dots=f"ravine-{ravine.name}-{kind}")
        losses.parts += _trail(losses, kind, np.arange(len(values)), np.log10(values))
        names.append(_name(name, kind, values))
    words = f"{', '.join(ravine.optimizers)} on a {ravine.name} ravine"
    drawings = row([
        paths.svg(f"{words}: the paths of {ravine.steps} steps"),
        losses.svg(f"{words}: the loss after each step, on a logarithmic scale"),
    ])  # fmt: skip
    below = f'<div class="ravine-names">{"".join(names)}</div>{_controls(ravine.steps)}'
    return f'<div class="ravine" role="group" aria-label="{words}">\n{drawings}{below}\n</div>\n'


def _contour(plot: Plot, ravine: Ravine, level: float) -> str:
    radius = np.sqrt(2 * level)
    points = _points(plot, *ravine.point(radius * np.cos(ANGLES), radius * np.sin(ANGLES)))
    return f'<polyline class="drawing-grid" points="{points}"/>'


def _trail(plot: Plot, kind: int, xs: np.ndarray, ys: np.ndarray, dots: str = "") -> list[str]:
    """Draw a curve that the script shortens, with the mark of the optimizer at its end and dots at all points."""
    points, end = _points(plot, xs, ys), plot.place(xs[-1], ys[-1])
    tint = f"drawing-tint-{kind}"
    size = 'viewBox="-5 -5 10 10" markerWidth="5" markerHeight="5" markerUnits="userSpaceOnUse"'
    marker = f'<marker id="{dots}" {size}><path class="{tint}" d="{MARKS[kind]}"/></marker>' if dots else ""
    style = f' style="marker: url(#{dots})"' if dots else ""
    place = f'style="transform: translate({end[0]:.1f}px, {end[1]:.1f}px)"'
    return [
        f'{marker}<polyline class="drawing-curve{CURVES[kind]}" data-kind="{kind}" points="{points}"{style}/>',
        f'<path class="ravine-mark {tint}" data-kind="{kind}" d="{MARKS[kind]}" {place}/>',
    ]


def _points(plot: Plot, xs: np.ndarray, ys: np.ndarray) -> str:
    return " ".join("{:.1f},{:.1f}".format(*plot.place(x, y)) for x, y in zip(xs, ys, strict=True))


def _name(name: str, kind: int, values: np.ndarray) -> str:
    """Return the entry of an optimizer in the legend, which hides or shows its path, with its losses."""
    size = 'viewBox="-6 -6 12 12" width="16" height="16"'
    mark = f'<svg {size} aria-hidden="true"><path class="drawing-tint-{kind}" d="{MARKS[kind]}"/></svg>'
    losses = " ".join(f"{value:.1e}" for value in values)
    box = f'<input type="checkbox" checked hidden data-kind="{kind}">'
    return f'<label>{box}{mark} {name} <span data-losses="{losses}">{values[-1]:.1e}</span></label>'


def _controls(steps: int) -> str:
    return (
        '<div class="ravine-controls" hidden>'
        '<button type="button" name="play">Play</button>'
        '<button type="button" name="back" aria-label="One step back">\u2212 step</button>'
        '<button type="button" name="next" aria-label="One step on">+ step</button>'
        f'<input type="range" min="0" max="{steps}" value="{steps}" aria-label="Step"><output></output></div>'
    )
