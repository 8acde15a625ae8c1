"""The charts of a run, in colours safe for colour-blind readers and with a marker for each contestant."""

import re

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from benchmarks.contestants import RACES
from benchmarks.records import Key, spread

# Okabe and Ito's colours, one for each library; pattern and marker of the line distinguish contestants of a library.
BLUE, ORANGE = "#0072B2", "#D55E00"
COLOURS = {
    "minidl": BLUE,
    "minidl_data": BLUE,
    "native": "#56B4E9",
    "onnxruntime": "#000000",
    "NumPy": "#E69F00",
    "torch": "#009E73",
    "JAX": ORANGE,
    "scikit": "#CC79A7",
    "C": "#999999",
}
PATTERNS = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ("-", "v"))
STYLE = {"axes.grid": True, "grid.alpha": 0.3, "axes.axisbelow": True, "font.size": 10, "legend.frameon": False}


def draw(records, folder):
    """Draw the charts of a run; return their paths and captions."""
    charts = (
        ("training.png", "Time of a whole training", lambda: training(records)),
        ("growth.png", "Time by number of replicates, batch and points", lambda: growth(records)),
        ("width.png", "Wide networks beside torch", lambda: width(records)),
    )
    done = []
    with mpl.rc_context(STYLE):
        for name, caption, make in charts:
            figure = make()
            if figure is not None:
                figure.savefig(folder / name, dpi=130)
                done.append((folder / name, caption))
    return done


def training(records):
    """Draw the time of each contestant for the report's network as bars."""
    races = [("training", "loss of each step"), ("fit", "loss and accuracy of each epoch")]
    rows = {race: [key for key in records.timings if key.race == race] for race, _ in races}
    if not all(rows.values()):
        return None
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    heights = [len(rows[race]) for race, _ in races]
    for axes, (race, words) in zip(figure.subplots(2, 1, height_ratios=heights, sharex=True), races, strict=True):
        _bars(axes, [(key.contestant, spread(records.timings[key].seconds)) for key in rows[race]])
        axes.set_title(words, loc="left", fontsize=10)
    axes.set_xlabel("time of 50 epochs (ms), median and quartiles")
    figure.suptitle("The report's network, 2-25-25-25-2, batch 50, Adam, one thread")
    return figure


def _bars(axes, found):
    names, spreads = zip(*found, strict=True)
    low, median, high = 1e3 * np.array(spreads).T
    colours = [colour_of(name) for name in names]
    axes.barh(names, median, xerr=(median - low, high - median), color=colours, capsize=3, height=0.65)
    for name, value, end in zip(names, median, high, strict=True):
        axes.annotate(f"{value:.0f}", (end, name), (6, 0), textcoords="offset points", va="center")
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


PANELS = (
    ("replicates", "replicates", "time per replicate and step (µs)", 1e6),
    ("batch", "batch", "time per step (µs)", 1e6),
    ("forward", "batch, forward only", "time per sample (µs)", 1e6),
    ("make", "points made", "time per point (ns)", 1e9),
)


def growth(records):
    """Draw time over size as lines, both axes logarithmic."""
    figure = Figure(figsize=(10.5, 9.5), layout="constrained")
    panels = zip(figure.subplots(2, 2).flat, PANELS, strict=True)
    drawn = [_lines(axes, records, *panel) for axes, panel in panels]
    figure.suptitle("How time grows, one thread: medians and quartiles")
    return figure if any(drawn) else None


def _lines(axes, records, race, counted, unit, scale):
    """Draw a line for each contestant; return False if none was measured."""
    seen = []
    for contestant in RACES[race]:
        sizes, _ = records.sizes(race, contestant.name)
        if sizes:
            times = [records.timings[Key(race, size, contestant.name)].seconds for size in sizes]
            low, median, high = scale * np.array([spread(seconds) for seconds in times]).T
            colour = colour_of(contestant.name)
            pattern, marker = PATTERNS[seen.count(colour)]
            seen.append(colour)
            bars = (median - low, high - median)
            look = {"color": colour, "linestyle": pattern, "marker": marker, "capsize": 2, "markersize": 5}
            axes.errorbar(sizes, median, bars, label=contestant.name, **look)
    axes.set(xscale="log", yscale="log", xlabel=counted, ylabel=unit)
    plain_ticks(axes.yaxis, (1, 2, 5))
    plain_ticks(axes.xaxis, (1,))
    if seen:
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return bool(seen)


def plain_ticks(axis, within):
    """Label an axis with plain numbers, at the multiples `within` each decade."""
    axis.set_major_locator(LogLocator(subs=within))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))


def colour_of(name):
    return COLOURS["native" if "native" in name else re.match(r"\w+", name)[0]]


def width(records):
    """Draw the ratios to torch by width, on one thread and on two, with the claimed bounds."""
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    axes = figure.subplots()
    ours, torch = RACES["width"][0].name, "torch eager"
    for threads, colour, marker in ((1, BLUE, "o"), (2, ORANGE, "s")):
        sizes, _ = records.sizes("width", torch, threads)
        if sizes:
            pairs = [(Key("width", size, torch, threads), Key("width", size, ours, threads)) for size in sizes]
            low, median, high = np.array([records.ratio(*pair) for pair in pairs]).T
            bars = (median - low, high - median)
            label = f"{threads} thread{'s' * (threads > 1)}"
            axes.errorbar(sizes, median, bars, marker=marker, color=colour, capsize=3, label=label)
    if not axes.lines:
        return None
    axes.hlines([1.15, 1.0], [14, 290], [290, 2300], color="black", linestyle="dashed", label="claimed minimum")
    axes.set(xscale="log", yscale="log", xlabel="width w of 784-w-w-10, batch 128")
    axes.set_ylabel("time of torch / time of minidl")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    plain_ticks(axes.yaxis, (1, 1.5, 2, 3, 5))
    axes.legend()
    figure.suptitle("Wide networks, a step of Adam: above 1 minidl is faster than torch")
    return figure
