"""Pictures of a training."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from minidl_experiments.tabular.pictures import (
    DARK,
    LIGHT,
    MOST_POINTS,
    _colours,
    _draw_matrix,
    _draw_points,
    _name_classes,
    contrast,
)
from minidl_experiments.tabular.target import NumberTarget


@pytest.mark.parametrize(("count", "shown"), [(2, 2), (12, 12), (30, 30), (40, 40), (41, 21), (500, 39)])
def test_classes_have_their_names(count, shown):
    """Beside a matrix of very many, at equal distances."""
    axes, names = Figure().add_subplot(), [f"class {i}" for i in range(count)]
    _name_classes(axes, names)
    for axis in (axes.xaxis, axes.yaxis):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        assert labels == [names[int(place)] for place in axis.get_ticklocs()]
        assert len(labels) == shown


def matrix_of(classes, times, palette=LIGHT, name="class {}"):
    """Return a drawn matrix of rows that are mostly predicted right."""
    y = np.repeat(np.arange(classes), times)
    values = np.eye(classes)[np.where(np.arange(len(y)) % 5, y, (y + 1) % classes)]
    target = SimpleNamespace(classes=[name.format(i) for i in range(classes)], outputs=classes)
    outcome = SimpleNamespace(rows=np.arange(len(y)), values=values)
    found = SimpleNamespace(model=SimpleNamespace(target=target), outcomes=[outcome])
    with _colours(palette):
        figure = Figure(figsize=(4.3, 3.44), layout="constrained")
        _draw_matrix(SimpleNamespace(y=y), found, figure, palette)
        figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize(("classes", "times"), [(2, 50), (10, 1234), (12, 123_456)])
@pytest.mark.parametrize("name", ["{}", "a very long class name {}"])
def test_numbers_stay_inside_their_cells(classes, times, name):
    figure = matrix_of(classes, times, name=name)
    (axes,) = figure.axes
    numbers = [text for text in axes.texts if len(text.get_text()) > 1]
    assert max(len(text.get_text()) for text in numbers) == len(str(times * 4 // 5))
    width = axes.get_window_extent().width / classes
    for text in numbers:
        assert text.get_window_extent().width < width


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_numbers_stand_out_from_their_cells(palette):
    (axes,) = matrix_of(3, 50, palette).axes
    colours = LinearSegmentedColormap.from_list("", [palette.paper, palette.first])
    shares = axes.images[0].get_array()
    for text in axes.texts:
        column, row = map(int, text.get_position())
        assert contrast(text.get_color(), colours(shares[row, column])) > 4


def test_contrast_is_that_of_the_guidelines():
    assert contrast("white", "black") == contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)  # the well-known grey just below 4.5


def test_colours_without_numbers_have_a_scale():
    axes, bar = matrix_of(26, 10).axes
    assert not axes.texts
    assert bar.get_ylabel() == "share of the rows of the true class"


def test_points_say_what_they_are():
    rows = 2 * MOST_POINTS + 1
    target = NumberTarget(("price",), (0.0,), (1.0,), (0.1, 0.5, 0.9))
    outcome = SimpleNamespace(rows=np.arange(rows), values=np.zeros((rows, 3)))
    found = SimpleNamespace(model=SimpleNamespace(target=target), outcomes=[outcome])
    figure = Figure()
    _draw_points(SimpleNamespace(y=np.linspace(0, 1, rows)[:, None]), found, 0, "price", figure, LIGHT)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("true price", "predicted quantile 0.5")
    assert axes.get_title() == f"{rows} test rows, one in 3 drawn"
