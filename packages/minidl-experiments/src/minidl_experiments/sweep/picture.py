"""A picture of a sweep: heat maps over two axes, lines over one, learning curves over none."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from minidl_experiments.style import RC
from minidl_experiments.sweep.grid import Grid
from minidl_experiments.sweep.heatmap import draw_maps
from minidl_experiments.sweep.lines import CurvesOf, draw_curves, draw_lines
from minidl_experiments.sweep.scores import Score

_NUMBERS = "lr", "width", "batch_size", "p_drop"


def draw(grid: Grid, scores: Sequence[Score], curves_of: CurvesOf) -> Figure:
    """Draw the test accuracy of all configurations.

    With two numeric axes of more than one value, lr, width, batch_size or p_drop, that is a heat map of the mean over
    the seeds, for each activation and optimizer; of further axes the best value counts. With one such axis it is a line
    over that axis, and without one the learning curves, both with bands from 5 to 95 %.

    Parameters
    ----------
    grid : Grid
    scores : sequence of Score
        Of all configurations of the grid.
    curves_of : callable
        Returns the curves of a run.

    Returns
    -------
    matplotlib.figure.Figure
    """
    numbers = [axis for axis in _NUMBERS if axis in grid.varied]
    with mpl.rc_context(RC):
        if len(numbers) > 1:
            return draw_maps(grid, scores, *numbers[:2])
        return draw_lines(grid, scores, numbers[0]) if numbers else draw_curves(grid, scores, curves_of)
