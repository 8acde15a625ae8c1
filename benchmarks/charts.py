"""The pictures of a run, in colours that can be told apart by everybody, and with a marker for each contestant."""

from itertools import cycle

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.contestants import RACES
from benchmarks.records import Key, spread

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999")  # Okabe and Ito
MARKERS = "osD^vPX*"
STYLE = {"axes.grid": True, "grid.alpha": 0.3, "axes.axisbelow": True, "font.size": 10, "legend.frameon": False}
TICKS = {"which": "minor", "bottom": False, "left": False}


def draw(records, folder):
    """Draw what was measured; return the paths with captions."""
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
    """Bars: each contestant's time for the report's network."""
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
    colours = [COLOURS[0] if name.startswith("minidl") else COLOURS[-1] for name in names]
    axes.barh(names, median, xerr=(median - low, high - median), color=colours, capsize=3, height=0.65)
    for name, value, end in zip(names, median, high, strict=True):
        axes.annotate(f"{value:.0f}", (end, name), (6, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(median.min() / 3, 2 * high.max())
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


PANELS = (
    ("replicates", "replicates", "time per replicate and step (µs)", 1e6),
    ("batch", "batch", "time per step (µs)", 1e6),
    ("forward", "batch, forward only", "time per sample (µs)", 1e6),
    ("make", "points made", "time per point (ns)", 1e9),
)


def growth(records):
    """Lines: time against size, both logarithmic."""
    figure = Figure(figsize=(10, 8.5), layout="constrained")
    drawn = [_lines(axes, records, *panel) for axes, panel in zip(figure.subplots(2, 2).flat, PANELS, strict=True)]
    figure.suptitle("How time grows, one thread: medians and quartiles")
    return figure if any(drawn) else None


def _lines(axes, records, race, counted, unit, scale):
    """Draw a line for each contestant; return whether there was anything to draw."""
    for contestant, colour, marker in zip(RACES[race], cycle(COLOURS), cycle(MARKERS)):
        sizes, _ = records.sizes(race, contestant.name)
        if sizes:
            times = [records.timings[Key(race, size, contestant.name)].seconds for size in sizes]
            low, median, high = scale * np.array([spread(seconds) for seconds in times]).T
            axes.fill_between(sizes, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(sizes, median, marker=marker, color=colour, label=contestant.name)
    axes.set(xscale="log", yscale="log", xlabel=counted, ylabel=unit)
    if axes.lines:
        axes.legend(fontsize=8, loc="best")
    return bool(axes.lines)


def width(records):
    """Ratios to torch by width, one thread and two, and what is wanted."""
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    axes = figure.subplots()
    ours, torch = RACES["width"][0].name, "torch eager"
    for threads, colour, marker in ((1, COLOURS[0], "o"), (2, COLOURS[5], "s")):
        sizes, _ = records.sizes("width", torch, threads)
        if sizes:
            pairs = [(Key("width", size, torch, threads), Key("width", size, ours, threads)) for size in sizes]
            low, median, high = np.array([records.ratio(*pair) for pair in pairs]).T
            bars = (median - low, high - median)
            label = f"{threads} thread{'s' * (threads > 1)}"
            axes.errorbar(sizes, median, bars, marker=marker, color=colour, capsize=3, label=label)
    if not axes.lines:
        return None
    axes.hlines([1.15, 1.0], [14, 290], [290, 2300], color="black", linestyle="dashed", label="wanted at least")
    axes.set(xscale="log", xlabel="width w of 784-w-w-10, batch 128", ylabel="time of torch / time of minidl")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.tick_params(**TICKS)
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.suptitle("Wide networks, a step of Adam: above 1 minidl is faster than torch")
    return figure
