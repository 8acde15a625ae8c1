"""Lines with bands: test accuracy over one axis of a grid, and learning curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl_experiments.data import Floats
from minidl_experiments.figures import epoch_ticks
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.style import BAND, BLUE, GREEN, ORANGE
from minidl_experiments.sweep.grid import Config, Grid, Run
from minidl_experiments.sweep.scores import Score
from minidl_experiments.sweep.words import LABELS, fixed_words, seeds_words, tick_words
from minidl_experiments.table import HIGH, LOW

CurvesOf = Callable[[Run], dict[str, list[float]]]

# Colour, dashes and marker; each of the three alone distinguishes the lines.
_LOOKS = {
    Activation.RELU: (BLUE, "-", "o"),
    Activation.LEAKY_RELU: (GREEN, "-.", "D"),
    Activation.TANH: (ORANGE, "--", "s"),
    Activation.SIGMOID: ("#cc79a7", ":", "^"),
}


def draw_lines(grid: Grid, scores: Sequence[Score], axis: str) -> Figure:
    """Draw the test accuracy over a numeric axis, with a panel for each optimizer and a line for each activation.

    Parameters
    ----------
    grid : Grid
    scores : sequence of Score
    axis : str
        Name of the axis. Its values are evenly spaced in the picture, as in a heat map.

    Returns
    -------
    matplotlib.figure.Figure
    """
    values = sorted(getattr(grid, axis))
    best = {(one.config.optimizer, one.config.activation, getattr(one.config, axis)): one for one in scores}

    def draw(axes: Axes, optimizer: Optimizer, activation: Activation) -> None:
        line = [best[optimizer, activation, value] for value in values]
        mean, low, high = np.array([(one.mean, one.low, one.high) for one in line]).T
        _draw_line(axes, np.arange(float(len(values))), (mean, low, high), activation, with_markers=True)

    figure = _draw_panels(grid, scores, LABELS[axis], draw, width=max(4.6, 0.62 * len(values)))
    figure.axes[0].set_xticks(range(len(values)), tick_words(values))
    figure.axes[0].set_xlim(-0.3, len(values) - 0.7)
    return figure


def draw_curves(grid: Grid, scores: Sequence[Score], curves_of: CurvesOf) -> Figure:
    """Draw the test accuracy per epoch, with a panel for each optimizer and a line for each activation.

    Parameters
    ----------
    grid : Grid
    scores : sequence of Score
        One score for each optimizer and activation.
    curves_of : callable
        Function from a run to its curves.

    Returns
    -------
    matplotlib.figure.Figure
    """
    configs = {(one.config.optimizer, one.config.activation): one.config for one in scores if not one.is_lost}

    def draw(axes: Axes, optimizer: Optimizer, activation: Activation) -> None:
        config = configs.get((optimizer, activation))
        if config is None:
            return
        values = _curves_of_seeds(config, grid, curves_of)
        low, high = np.quantile(values, [LOW, HIGH], axis=0)
        epochs = np.arange(1.0, values.shape[1] + 1)
        _draw_line(axes, epochs, (values.mean(axis=0), low, high), activation, with_markers=len(epochs) == 1)

    figure = _draw_panels(grid, scores, "epoch", draw)
    if not configs:
        figure.axes[0].set(xlim=(0, 1), xticks=[])
        return figure
    figure.axes[0].set_xlim(left=0)
    figure.axes[0].xaxis.set_major_locator(epoch_ticks())
    return figure


def _curves_of_seeds(config: Config, grid: Grid, curves_of: CurvesOf) -> Floats:
    """Return the test accuracies of the seeds that did not diverge, of which there is at least one.

    The curves of these seeds are the longest ones.
    """
    curves = [curves_of(Run(config, seed))["test_accuracy"] for seed in grid.seeds]
    longest = max(map(len, curves))
    return np.array([curve for curve in curves if len(curve) == longest])


def _draw_panels(
    grid: Grid,
    scores: Sequence[Score],
    xlabel: str,
    draw: Callable[[Axes, Optimizer, Activation], object],
    width: float = 5.4,
) -> Figure:
    figure = Figure(figsize=(len(grid.optimizer) * width + 0.8, 4.6), layout="constrained")
    panels = figure.subplots(1, len(grid.optimizer), squeeze=False, sharex=True, sharey=True)[0]
    for axes, optimizer in zip(panels, grid.optimizer, strict=True):
        for activation in grid.activation:
            draw(axes, optimizer, activation)
        if all(one.is_lost for one in scores if one.config.optimizer is optimizer):
            axes.text(0.5, 0.5, "all seeds diverged", ha="center", va="center", transform=axes.transAxes)
        axes.set_xlabel(xlabel)
        axes.set_title(optimizer if len(grid.activation) > 1 else f"{optimizer}, {grid.activation[0]}")
    panels[0].set_ylabel("test accuracy (%)")
    if all(one.is_lost for one in scores):
        panels[0].set_ylim(0, 100)
    if len(grid.activation) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(grid.activation))
    figure.suptitle(_title(grid, scores))
    return figure


def _draw_line(
    axes: Axes, x: Floats, line: tuple[Floats, Floats, Floats], activation: Activation, *, with_markers: bool = False
) -> None:
    mean, low, high = (100 * values for values in line)
    color, dashes, marker = _LOOKS[activation]
    axes.fill_between(x, low, high, color=color, **BAND)
    axes.plot(x, mean, color=color, ls=dashes, marker=marker if with_markers else "", markersize=5, label=activation)


def _title(grid: Grid, scores: Sequence[Score]) -> str:
    diverged = sum(one.diverged for one in scores)
    without = f"\nwithout the {diverged} runs that diverged" if diverged else ""
    of_seeds = f"Mean test accuracy and 5–95 % of {seeds_words(len(grid.seeds))}"  # noqa: RUF001 - a range
    return f"{of_seeds}\n{fixed_words(grid)}{without}"
