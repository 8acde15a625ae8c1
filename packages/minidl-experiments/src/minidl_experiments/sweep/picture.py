"""The picture of a sweep: heat maps over two axes, lines over one axis, or learning curves."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from minidl_experiments.figures import plain_style
from minidl_experiments.sweep.grid import Grid
from minidl_experiments.sweep.heatmap import draw_maps
from minidl_experiments.sweep.lines import CurvesOf, draw_curves, draw_lines
from minidl_experiments.sweep.scores import Score

_NUMBERS = "lr", "width", "batch_size", "p_drop"


def draw(grid: Grid, scores: Sequence[Score], curves_of: CurvesOf) -> Figure:
    """Draw the test accuracy of all configurations.

    The kind of picture depends on the number of numeric axes (lr, width, batch_size, p_drop) with more than one value.
    Two or more such axes give heat maps of the mean over the seeds, with further axes at their best value. One axis
    gives lines over this axis, and no axis gives learning curves, both with bands from 5 to 95 %.

    Parameters
    ----------
    grid : Grid
    scores : sequence of Score
        Scores of all configurations of the grid.
    curves_of : callable
        Function from a run to its curves.

    Returns
    -------
    matplotlib.figure.Figure
    """
    numbers = [axis for axis in _NUMBERS if axis in grid.varied]
    with plain_style():
        if len(numbers) > 1:
            return draw_maps(grid, scores, *numbers[:2])
        return draw_lines(grid, scores, numbers[0]) if numbers else draw_curves(grid, scores, curves_of)
