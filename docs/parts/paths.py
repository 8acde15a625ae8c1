"""The paths of optimizers on a ravine, and what weight decay does, by the optimizers themselves."""

from collections.abc import Callable

import numpy as np

import minidl
from parts.drawing import row
from parts.plots import Plot

STEEP = np.array([1.0, 25.0])
"""The loss is half the sum of STEEP θ²: steep in the second direction."""
START, STEPS = (-4.0, 1.2), 40
Build = Callable[[minidl.Module], minidl.Optimizer]


def sgd() -> str:
    """Draw SGD without and with momentum."""
    return row([
        _path("SGD, rate 0.07", lambda model: minidl.SGD(model, 0.07)),
        _path("SGD, rate 0.02, momentum 0.8", lambda model: minidl.SGD(model, 0.02, momentum=0.8)),
    ])  # fmt: skip


def rmsprop() -> str:
    """Draw RMSprop beside SGD."""
    return row([
        _path("SGD, rate 0.02", lambda model: minidl.SGD(model, 0.02)),
        _path("RMSprop, rate 0.1, \u03b1 = 0.9", lambda model: minidl.RMSprop(model, 0.1, alpha=0.9)),
    ])  # fmt: skip


def adam() -> str:
    """Draw Adam beside RMSprop."""
    return row([
        _path("RMSprop, rate 0.1, \u03b1 = 0.9", lambda model: minidl.RMSprop(model, 0.1, alpha=0.9)),
        _path("Adam, rate 0.2", lambda model: minidl.Adam(model, 0.2)),
    ])  # fmt: skip


def adamw() -> str:
    """Draw two weights whose gradients have mean 0, under the decay of Adam and of AdamW."""
    return row([
        _decay("Adam, decay 0.2", lambda model: minidl.Adam(model, 0.005, weight_decay=0.2)),
        _decay("AdamW, decay 0.2", lambda model: minidl.AdamW(model, 0.005, weight_decay=0.2)),
    ])  # fmt: skip


def walk(
    build: Build, start: tuple[float, float], gradient: Callable[[int, np.ndarray], np.ndarray], steps: int
) -> np.ndarray:
    """Return the two parameters before the first step and after each."""
    model = minidl.Linear(1, 1, dtype="float64")
    model.values[...] = start
    optimizer, places = build(model), [model.values.copy()]
    for t in range(steps):
        model.grads[...] = gradient(t, model.values)
        optimizer.step()
        places.append(model.values.copy())
    return np.array(places)


def _path(title: str, build: Build) -> str:
    plot = Plot(title, (-5, -2.5, 0, 2.5), (-2, -1, 0, 1, 2), "a along the ravine, b across it", height=230)
    for level in (0.5, 2, 5, 10, 18, 30):
        (x, y), (right, top) = plot.place(0, 0), plot.place(*np.sqrt(2 * level / STEEP))
        plot.parts.append(
            f'<ellipse class="drawing-grid" cx="{x:.1f}" cy="{y:.1f}" rx="{right - x:.1f}" ry="{y - top:.1f}"/>'
        )
    places = walk(build, START, lambda _, theta: STEEP * theta, STEPS)
    plot.curve("", *places.T)
    plot.parts += [
        '<circle class="drawing-dot" cx="{:.1f}" cy="{:.1f}" r="2.5"/>'.format(*plot.place(*p)) for p in places
    ]
    plot.legend.clear()
    distance = np.hypot(*places[-1])
    return plot.svg(f"{STEPS} steps of {title} on a ravine, which end {distance:.2f} from the lowest point")


def _decay(title: str, build: Build) -> str:
    plot = Plot(title, (0, 250, 500, 750, 1000), (0, 0.25, 0.5, 0.75, 1), "step")
    places = walk(build, (1.0, 1.0), lambda t, _: (-1) ** t * np.array([10.0, 0.1]), 1000)
    for kind, (name, values) in enumerate(zip(("gradient ±10", "gradient ±0.1"), places.T, strict=True)):
        plot.curve(name, range(1001), values, kind)
    ends = "a weight with gradients ±10 ends at {:.2f}, one with gradients ±0.1 at {:.2f}".format(*places[-1])
    return plot.svg(f"{title}: {ends}")
