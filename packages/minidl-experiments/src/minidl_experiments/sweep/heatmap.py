"""Heat maps of the mean test accuracy over two axes of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import Grid
from minidl_experiments.sweep.scores import Score
from minidl_experiments.sweep.words import LABELS, fixed_words, seeds_words, tick_words

_CELL = 0.62, 0.42  # inches

_Cells: TypeAlias = dict[tuple[Any, Any], Score]


def draw_maps(grid: Grid, scores: Sequence[Score], x: str, y: str) -> Figure:
    """Draw a heat map for each optimizer (rows) and activation (columns), all on the same colour scale.

    Parameters
    ----------
    grid : Grid
    scores : sequence of Score
    x, y : str
        Axes of each map. Axes that neither the maps nor the panels show are at their best value.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows, columns = len(grid.optimizer), len(grid.activation)
    wide, high = (max(2.6, _CELL[0] * len(getattr(grid, x))), max(1.4, _CELL[1] * len(getattr(grid, y))))
    figure = Figure(figsize=(columns * (wide + 0.3) + 1.8, rows * (high + 0.5) + 1.5), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    panel_cells = _best_cells(scores, x, y)
    colors = _colors([one for cells in panel_cells.values() for one in cells.values()])
    for (i, optimizer), (j, activation) in product(enumerate(grid.optimizer), enumerate(grid.activation)):
        _draw_map(panels[i, j], panel_cells[optimizer, activation], grid, x, y, colors)
        panels[i, j].set_title(f"{optimizer}, {activation}")
    figure.supxlabel(LABELS[x])
    figure.supylabel(LABELS[y])
    figure.colorbar(colors, ax=panels, label="mean test accuracy (%)")
    figure.suptitle(_title(grid, scores, x, y))
    return figure


def _colors(scores: Sequence[Score]) -> ScalarMappable:
    """Return the colour scale of all accuracies, in percent."""
    means = [100 * one.mean for one in scores if not one.is_lost] or [0.0, 100.0]
    return ScalarMappable(Normalize(min(means), max(means)), "viridis")


def _best_cells(scores: Sequence[Score], x: str, y: str) -> dict[tuple[Optimizer, Activation], _Cells]:
    """Return the best score for each pair of values, by panel."""
    panels: dict[tuple[Optimizer, Activation], _Cells] = {}
    for one in sorted(scores, key=lambda one: one.rank, reverse=True):
        cells = panels.setdefault((one.config.optimizer, one.config.activation), {})
        cells[getattr(one.config, x), getattr(one.config, y)] = one  # the best score comes last and stays
    return panels


def _draw_map(axes: Axes, cells: _Cells, grid: Grid, x: str, y: str, colors: ScalarMappable) -> None:
    columns, rows = sorted(getattr(grid, x)), sorted(getattr(grid, y))
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        _draw_cell(axes, j, i, cells[column, row], colors)
    axes.grid(visible=False)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    axes.set_xticks(range(len(columns)), tick_words(columns))
    axes.set_yticks(range(len(rows)), tick_words(rows))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_cell(axes: Axes, column: int, row: int, one: Score, colors: ScalarMappable) -> None:
    corner = column - 0.5, row - 0.5
    if one.is_lost:
        axes.add_patch(Rectangle(corner, 1, 1, facecolor="#eeeeee", edgecolor="#bbbbbb", hatch="///", linewidth=0))
        axes.text(column, row, "nan", ha="center", va="center", fontsize=8, color="#444444")
        return
    color = colors.to_rgba(np.array(100 * one.mean))
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=color, edgecolor="white", linewidth=1))
    dark = np.dot(color[:3], (0.299, 0.587, 0.114)) < 0.47
    words = f"{100 * one.mean:.1f}" + ("*" if one.diverged else "")
    axes.text(column, row, words, ha="center", va="center", fontsize=8, color="white" if dark else "black")


def _title(grid: Grid, scores: Sequence[Score], x: str, y: str) -> str:
    """Return the title: the quantity, the fixed settings and the marks that occur."""
    rest = [LABELS[axis] for axis in grid.varied if axis not in (x, y, "activation", "optimizer")]
    lines = [
        f"Mean test accuracy of {seeds_words(len(grid.seeds))}"
        + (f", at the best {' and '.join(rest)}" if rest else "")
    ]
    if fixed := fixed_words(grid):
        lines.append(fixed)
    if any(one.diverged and not one.is_lost for one in scores):
        lines.append("* without the seeds that diverged")
    if any(one.is_lost for one in scores):
        lines.append("nan: all seeds diverged")
    return "\n".join(lines)
