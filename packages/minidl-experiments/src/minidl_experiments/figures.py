"""The counterparts of the report's figures 2, 3 and 4."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

import minidl
import minidl_data
from minidl_experiments.data import Floats
from minidl_experiments.style import BAND, BLUE, COLORS, DASHES, DPI, EDGE, GREYS, RC, RED
from minidl_experiments.table import HIGH, LOW
from minidl_experiments.training import Curves

_P = ParamSpec("_P")
_GRID = 301  # grid points per side for the learned border


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw with matplotlib's defaults and the style of this package, whatever the user's matplotlibrc says.

    A setting such as ``text.usetex`` could fail when the figure is saved. The caller's settings return at the end.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def _styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draw in the style of this package, without changing the caller's matplotlib settings."""

    @wraps(draw)
    def styled(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with plain_style():
            return draw(*args, **kwargs)

    return styled


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of the path's suffix, PNG without a suffix, and return the path.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : pathlib.Path
    """
    with plain_style():
        figure.savefig(path, dpi=DPI, format=path.suffix[1:].lower() or "png")
    return path


@_styled
def draw_classification(network: minidl.Module, x: Floats, classes: NDArray[np.int64], title: str) -> Figure:
    """Draw how a network classifies points (figure 2).

    Misclassified points are red crosses. The other points are dots, in one grey per class. The true circle and the
    learned border are drawn over the points.

    Parameters
    ----------
    network : minidl.Module
        Network without replicate axes.
    x : array of float32, shape (N, 2)
    classes : array of int, shape (N,)
        The true classes.
    title : str
        Title of the figure, to which the accuracy is appended.

    Returns
    -------
    matplotlib.figure.Figure
    """
    hit = minidl.predict(network, x).argmax(axis=-1) == classes
    figure = Figure(figsize=(5.2, 6.1), layout="constrained")
    axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    axes.grid(visible=False)
    axes.set_title(f"{title}: accuracy {100 * hit.mean():.1f} %")
    _draw_points(axes, x, classes, hit)
    _draw_circle(axes)
    _draw_border(axes, network)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=2)
    return figure


def _draw_points(axes: Axes, x: Floats, classes: NDArray[np.int64], hit: NDArray[np.bool_]) -> None:
    for label, name in enumerate(("outside, correct", "inside, correct")):
        right = x[hit & (classes == label)]
        axes.scatter(right[:, 0], right[:, 1], s=9, color=GREYS[label], label=name)
    wrong = x[~hit]
    called = f"misclassified ({len(wrong)})"
    axes.scatter(wrong[:, 0], wrong[:, 1], s=34, color=RED, marker="x", linewidths=1.8, label=called, zorder=4)


def _draw_circle(axes: Axes) -> None:
    angle = np.linspace(0, 2 * np.pi, 361)
    x1, x2 = minidl_data.CENTER
    circle = x1 + minidl_data.RADIUS * np.cos(angle), x2 + minidl_data.RADIUS * np.sin(angle)
    axes.plot(*circle, color="black", linestyle="--", linewidth=1.4, label="true circle")


def _draw_border(axes: Axes, network: minidl.Module) -> None:
    """Draw the curve on which both outputs are equal."""
    side = np.linspace(0, 1, _GRID, dtype=np.float32)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    outputs = minidl.predict(network, points)
    lead = (outputs[:, 1] - outputs[:, 0]).reshape(_GRID, _GRID)
    if lead.min() < 0 < lead.max():  # a network that predicts one class everywhere has no border
        axes.contour(side, side, lead, levels=[0], colors=BLUE, linewidths=1.8)
    axes.plot([], [], color=BLUE, label="learned border")


@_styled
def draw_optimizers(runs: Mapping[str, tuple[Curves, Curves]]) -> Figure:
    """Draw loss and accuracy per epoch, medians with bands over the seeds (figure 3).

    Parameters
    ----------
    runs : mapping of str to (Curves, Curves)
        Train and test curves, by optimizer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for name, (train, test) in runs.items():
        for label, curves, dashes in ((f"{name}, train", train, "-"), (f"{name}, test", test, "--")):
            _draw_curve(loss, curves.loss, label, COLORS[name], dashes)
            _draw_curve(accuracy, curves.accuracy, label, COLORS[name], dashes)
    loss.set(ylabel="squared error per sample", ylim=(0, None))
    _label_epochs(loss, "Loss")
    _label_accuracy(accuracy)
    _add_legend(figure, accuracy, [train for train, _ in runs.values()])
    return figure


@_styled
def draw_activations(runs: Mapping[str, Curves]) -> Figure:
    """Draw training accuracy per epoch, medians with bands over the seeds (figure 4).

    Parameters
    ----------
    runs : mapping of str to Curves
        Train curves, by activation of the first two hidden layers.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for name, curves in runs.items():
        _draw_curve(axes, curves.accuracy, name, COLORS[name], DASHES[name])
    _label_accuracy(axes)
    axes.set_title("Adam, training accuracy by activation")
    _add_legend(figure, axes, list(runs.values()))
    return figure


def _draw_curve(axes: Axes, values: Floats, label: str, color: str, dashes: str) -> None:
    epochs = np.arange(1, len(values) + 1)
    left = values[:, np.isfinite(values[-1])]
    if not left.size:
        return
    low, middle, high = np.quantile(left, [LOW, 0.5, HIGH], axis=1)
    axes.fill_between(epochs, low, high, color=color, **BAND)
    for edge in (low, high):
        axes.plot(epochs, edge, color=color, linestyle=dashes, **EDGE)
    marker = "o" if len(values) == 1 else ""  # a line through one point is invisible
    axes.plot(epochs, middle, color=color, linestyle=dashes, marker=marker, label=label)


def epoch_ticks() -> MaxNLocator:
    """Return a locator that puts ticks at round numbers of epochs."""
    return MaxNLocator(integer=True, steps=[1, 2, 5, 10])


def _label_epochs(axes: Axes, title: str) -> None:
    axes.set(xlabel="epoch", title=title)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(epoch_ticks())


def _label_accuracy(axes: Axes) -> None:
    axes.set_ylabel("accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=" %"))
    axes.set_ylim(top=1)
    _label_epochs(axes, "Accuracy")


def _add_legend(figure: Figure, axes: Axes, runs: Sequence[Curves]) -> None:
    """Add a legend below the axes, where it covers no line."""
    seeds = runs[0].accuracy.shape[1]
    lost = max(np.count_nonzero(~np.isfinite(curves.accuracy[-1])) for curves in runs)
    title = "one seed" if seeds == 1 else f"median and 5–95 % of {seeds} seeds"  # noqa: RUF001 - a range has an en dash
    if lost:
        title += f", of which {lost} diverged"
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, title=title)
