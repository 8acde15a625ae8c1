"""Figures show the values of the network and of the curves, and are saved as PNG."""

import struct

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb

import minidl
import minidl_data
from minidl_experiments import Curves, figures, style

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def half_plane():
    """Return a network that predicts "inside" for x1 < 0.6."""
    network = minidl.Linear(2, 2, rng=0)
    network.weight = np.array([[1, 0], [0, 0]], np.float32)
    network.bias = np.array([0, 0.6], np.float32)
    return network


@pytest.fixture
def points():
    return minidl_data.make_disk(300, rng=0)


def scattered(axes):
    """Return the number of points by colour."""
    collections = [item for item in axes.collections if isinstance(item, PathCollection)]
    return {tuple(item.get_facecolor()[0][:3]): len(item.get_offsets()) for item in collections}


def line(axes, label):
    return next(item for item in axes.lines if item.get_label() == label)


def test_red_points_are_the_misclassified_ones(half_plane, points):
    x, classes = points
    wrong = (x[:, 0] < 0.6) != (classes == 1)
    axes = figures.draw_classification(half_plane, x, classes, "Test set").axes[0]
    assert scattered(axes) == {
        to_rgb(style.RED): wrong.sum(),
        to_rgb(style.GREYS[0]): (~wrong & (classes == 0)).sum(),
        to_rgb(style.GREYS[1]): (~wrong & (classes == 1)).sum(),
    }
    assert axes.get_title() == f"Test set: accuracy {100 * (1 - wrong.mean()):.1f} %"
    assert f"misclassified ({wrong.sum()})" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_misclassified_points_differ_in_shape_too(half_plane, points):
    axes = figures.draw_classification(half_plane, *points, "Test set").axes[0]
    dots, more_dots, crosses = [item for item in axes.collections if isinstance(item, PathCollection)]
    shapes = [len(item.get_paths()[0].vertices) for item in (dots, more_dots, crosses)]
    assert shapes[0] == shapes[1] != shapes[2]


def test_the_true_circle_and_the_learned_border_are_drawn(half_plane, points):
    axes = figures.draw_classification(half_plane, *points, "Test set").axes[0]
    circle = line(axes, "true circle").get_xydata()
    np.testing.assert_allclose(np.hypot(*(circle - minidl_data.CENTER).T), minidl_data.RADIUS)
    (border,) = [item for item in axes.collections if not isinstance(item, PathCollection)]
    np.testing.assert_allclose(np.concatenate([path.vertices for path in border.get_paths()])[:, 0], 0.6, atol=1e-5)
    assert axes.get_aspect() == 1


def test_a_network_that_predicts_one_class_can_be_drawn(half_plane, points):
    half_plane.bias = np.array([0, 9], np.float32)
    axes = figures.draw_classification(half_plane, *points, "Test set").axes[0]
    assert all(isinstance(item, PathCollection) for item in axes.collections)


def make_curves(seeds, epochs=4):
    rng = np.random.default_rng(0)
    return Curves(rng.random((epochs, seeds)), rng.random((epochs, seeds)))


def test_optimizers_are_drawn_as_medians_and_bands():
    runs = {name: (make_curves(30), make_curves(30)) for name in ("SGD", "Adam")}
    loss, accuracy = figures.draw_optimizers(runs).axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        for label, curves in (("SGD, train", runs["SGD"][0]), ("Adam, test", runs["Adam"][1])):
            epochs, values = line(axes, label).get_data()
            np.testing.assert_array_equal(epochs, [1, 2, 3, 4])
            np.testing.assert_allclose(values, np.median(getattr(curves, name), axis=1))
        assert len(axes.collections) == 4
        assert axes.get_xlabel() == "epoch"
    band = accuracy.collections[0].get_paths()[0].vertices
    low, high = np.quantile(runs["SGD"][0].accuracy[1], [0.05, 0.95])
    assert {low, high} <= set(band[band[:, 0] == 2][:, 1])


def test_activations_differ_in_line_style_too():
    figure = figures.draw_activations({name: make_curves(3) for name in ("Tanh", "ReLU", "Leaky ReLU")})
    styles = [line(figure.axes[0], name).get_linestyle() for name in ("Tanh", "ReLU", "Leaky ReLU")]
    assert len(set(styles)) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Tanh", "ReLU", "Leaky ReLU"]
    assert legend.get_title().get_text() == "median and 5–95 % of 3 seeds"  # noqa: RUF001 - a range has an en dash


def test_a_diverged_seed_is_left_out_and_counted():
    whole, broken = make_curves(4), make_curves(4)
    broken.accuracy[2:, 1] = np.nan
    figure = figures.draw_activations({"ReLU": whole, "Tanh": broken})
    np.testing.assert_allclose(
        line(figure.axes[0], "Tanh").get_ydata(), np.median(broken.accuracy[:, [0, 2, 3]], axis=1)
    )
    assert figure.legends[0].get_title().get_text().endswith(" of 4 seeds, of which 1 diverged")


def test_epoch_ticks_are_round_numbers():
    axes = figures.draw_activations({"ReLU": make_curves(2, epochs=50)}).axes[0]
    assert set(axes.get_xticks()) <= {0, 10, 20, 30, 40, 50, 60}


def test_the_legend_of_a_single_seed_names_no_quantiles():
    figure = figures.draw_activations({"ReLU": make_curves(1)})
    assert figure.legends[0].get_title().get_text() == "one seed"


def test_a_figure_is_saved_as_png_under_the_given_name(tmp_path):
    path = figures.save(figures.draw_activations({"ReLU": make_curves(1)}), tmp_path / "name without ending")
    assert path == tmp_path / "name without ending"
    data = path.read_bytes()
    assert data.startswith(PNG)
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (6.4 * style.DPI, 4.6 * style.DPI)


def test_drawing_keeps_the_callers_style(half_plane, points):
    import matplotlib as mpl  # noqa: PLC0415 - matplotlib is slow to import

    before = dict(mpl.rcParams)
    figures.draw_classification(half_plane, *points, "Test set")
    assert dict(mpl.rcParams) == before
