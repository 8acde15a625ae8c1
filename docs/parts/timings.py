"""The charts of the benchmarks as inline SVG, drawn from the tables of the kept run."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from parts.drawing import line, row, svg, text
from parts.kept import Section
from parts.plots import Plot

WIDTH, ROW, ROOM = 340.0, 40.0, 60.0  # of a chart of bars: its width, the height of a row, and the room for a number
TRAINING = "The same training with loss and accuracy of each epoch"
WIDE = "784-w-w-10"
WORDS = {
    "minidl, fit (native)": "minidl, compiled engine",
    "minidl, fit": "minidl, on NumPy alone",
    "NumPy by hand": "NumPy, written out by hand",
    "torch eager": "torch, eager mode",
}
"""What the chart of bars calls some contestants."""


@dataclass(frozen=True)
class Lines:
    """A chart of lines, both axes logarithmic: title and unit of y, label of x, and the contestants by short names."""

    title: str
    scale: float
    label: str
    contestants: Mapping[str, str]


CHARTS = {
    "Replicates, by number": Lines(
        "time per network and step (µs)",
        1e6,
        "networks trained as one",
        {
            "minidl": "minidl, own loop",
            "engine": "minidl, fit (native)",
            "torch": "torch, one by one",
            "JAX": "JAX, vmap and scan",
        },
    ),
    "The report's network by batch": Lines(
        "time per step (µs)",
        1e6,
        "samples in a batch",
        {"minidl": "minidl, own loop", "NumPy": "NumPy by hand", "torch": "torch eager", "JAX": "JAX, jitted step"},
    ),
    "Forward only": Lines(
        "time per sample, forward only (µs)",
        1e6,
        "samples in a batch",
        {
            "minidl": "minidl, predict",
            "engine": "minidl, predict (native)",
            "torch": "torch eager",
            "onnxruntime": "onnxruntime",
        },
    ),
    "Drawing and labelling points": Lines(
        "time per point (ns)",
        1e9,
        "points",
        {"make_disk": "minidl_data, make_disk", "NumPy": "NumPy, points alone", "stream": "minidl_data, DiskStream"},
    ),
}
"""By the beginning of the title of the table that each is drawn from."""


def chart(table: Section) -> str:
    """Return the chart of a table; empty if the table has none."""
    if table.title.startswith(WIDE):
        return wide(table)
    found = next((lines for beginning, lines in CHARTS.items() if table.title.startswith(beginning)), None)
    return lines_of(table, found) if found else ""


def bars(table: Section) -> str:
    """Draw the median time of each contestant as a bar with its quartiles, the fastest first."""
    spreads = {name: spread for name in table.contestants for spread in table.times(name).values()}
    order = sorted(spreads, key=lambda name: spreads[name][1])
    scale = (WIDTH - ROOM) / max(high for _, _, high in spreads.values())
    parts = []
    for number, name in enumerate(order):
        low, median, high = (scale * value for value in spreads[name])
        top = 32 + ROW * number
        tint = "drawing-a" if name.startswith("minidl") else "drawing-b"
        size = f'width="{median:.1f}" height="15" style="stroke: none"'
        parts += [
            text(0, top + 11, escape(WORDS.get(name, name)), "drawing-text drawing-left"),
            f'<rect class="{tint}" x="0" y="{top + 16}" {size}/>',
            line(round(low, 1), top + 23.5, round(high, 1), top + 23.5),
            text(round(high + 6, 1), top + 28, f"{1e3 * spreads[name][1]:.0f} ms", "drawing-text drawing-left"),
        ]
    title = "The report's network: time of 50 epochs"
    heading = text(0, 16, title, "drawing-text drawing-left")
    words = ", ".join(f"{WORDS.get(name, name)} {1e3 * spreads[name][1]:.0f} ms" for name in order)
    return row([svg(WIDTH, 36 + ROW * len(order), [heading, *parts], escape(f"{title}: {words}"))])


def lines_of(table: Section, chosen: Lines) -> str:
    """Draw the medians of some contestants over the size."""
    medians = {
        name: {size: chosen.scale * spread[1] for size, spread in table.times(contestant).items()}
        for name, contestant in chosen.contestants.items()
    }
    if not all(medians.values()):
        return ""
    values = [value for found in medians.values() for value in found.values()]
    sizes = [size for found in medians.values() for size in found]
    plot = Plot(
        chosen.title, decades(min(sizes), max(sizes)), decades(min(values), max(values)), chosen.label, log=True
    )
    for kind, (name, found) in enumerate(medians.items()):
        plot.curve(name, found, found.values(), kind)
    return row([plot.svg(escape(f"{table.title}: {', '.join(medians)}"))])


def wide(table: Section) -> str:
    """Draw torch's time over minidl's by width, on one thread and on two."""
    found = {threads: table.ratios("torch eager", threads) for threads in (1, 2)}
    if not all(found.values()):
        return ""
    highest = max(value for ratios in found.values() for value in ratios.values())
    ticks = (0.5, 1, 2, 4, 8)[: 4 if highest <= 4 else 5]
    plot = Plot("time of torch over that of minidl", tuple(found[1]), ticks, "width w", log=True)
    for kind, (name, threads) in enumerate({"one thread": 1, "two threads": 2}.items()):
        plot.curve(name, found[threads], found[threads].values(), kind)
    return row([plot.svg("Time of torch over that of minidl by the width of the layers, on one thread and on two")])


def decades(least: float, most: float) -> tuple[float, ...]:
    """Return the powers of ten from below the least value to above the most."""
    return tuple(10.0**power for power in range(floor(log10(least)), ceil(log10(most)) + 1))
