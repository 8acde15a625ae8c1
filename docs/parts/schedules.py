"""The drawing of the schedules: one panel each, made from the schedules themselves."""

from typing import NamedTuple

import minidl
from parts.drawing import line, picture, text
from parts.places import write

STEPS, HIGHEST = 100, 0.1
WIDTH, HEIGHT = 240.0, 110.0  # of the area of a panel
LEFT, TOP, GAP_X, GAP_Y = 62.0, 34.0, 92.0, 86.0

PANELS = {
    "PowerSchedule(0.1, 0.6)": minidl.PowerSchedule(0.1, 0.6),
    "StepSchedule(0.1, 25, 0.5)": minidl.StepSchedule(0.1, 25, 0.5),
    "ExponentialSchedule(0.1, 0.96)": minidl.ExponentialSchedule(0.1, 0.96),
    "CosineSchedule(0.1, 100, warmup=10)": minidl.CosineSchedule(0.1, 100, warmup=10),
    "OneCycleSchedule(0.1, 100)": minidl.OneCycleSchedule(0.1, 100),
    "PiecewiseSchedule({1: 0.05, 30: 0.1, 70: 0.02})": minidl.PiecewiseSchedule({1: 0.05, 30: 0.1, 70: 0.02}),
}


class Point(NamedTuple):
    """A place in the drawing."""

    x: float
    y: float


def write_schedules() -> None:
    """Write the drawing, two panels in a row."""
    parts: list[str] = []
    for index, (words, schedule) in enumerate(PANELS.items()):
        row, column = divmod(index, 2)
        corner = Point(LEFT + column * (WIDTH + GAP_X), TOP + row * (HEIGHT + GAP_Y))
        parts += [*_axes(corner), text(corner.x + WIDTH / 2, corner.y - 12, words), _curve(corner, schedule)]
    width, height = LEFT + 2 * WIDTH + GAP_X + 24, TOP + 3 * HEIGHT + 2 * GAP_Y + 56
    title = "Six schedules: the learning rate over 100 steps; each falls from 0.1 or rises to it and falls"
    write("schedules.html", picture(width, height, parts, title))


def _place(corner: Point, t: float, rate: float) -> Point:
    return Point(corner.x + t / STEPS * WIDTH, corner.y + HEIGHT * (1 - rate / HIGHEST))


def _axes(corner: Point) -> list[str]:
    origin, end = _place(corner, 0, 0), _place(corner, STEPS, 0)
    parts = [line(*origin, *end), line(*origin, *corner)]
    for t in (0, 25, 50, 75, 100):
        tick = _place(corner, t, 0)
        parts += [line(*tick, tick.x, tick.y + 4), text(tick.x, tick.y + 17, str(t), "drawing-small")]
    for rate in (0, 0.05, 0.1):
        tick = _place(corner, 0, rate)
        parts += [line(tick.x - 4, tick.y, *tick), text(tick.x - 20, tick.y + 4, f"{rate:g}", "drawing-small")]
    middle = corner.y + HEIGHT / 2
    label = text(corner.x - 44, middle, "learning rate", "drawing-small")
    turned = label.replace("<text ", f'<text transform="rotate(-90 {corner.x - 44} {middle})" ')
    return [*parts, turned, text(corner.x + WIDTH / 2, origin.y + 34, "step t", "drawing-small")]


def _curve(corner: Point, schedule: minidl.Schedule) -> str:
    """Draw the rate of each step as a level line one step long, so that a jump is a jump."""
    rates = [schedule(t) for t in range(1, STEPS + 1)]
    points = [_place(corner, t, rate) for i, rate in enumerate(rates) for t in (i, i + 1)]
    path = " ".join(f"{p.x:.1f},{p.y:.1f}" for p in points)
    return f'<polyline class="drawing-curve" points="{path}"/>'
