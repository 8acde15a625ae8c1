"""Pictures of a training and of predictions, for light and dark pages."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

import minidl
from minidl_experiments.figures import epoch_ticks, plain_style
from minidl_experiments.style import BLUE, DPI, ORANGE, RC
from minidl_experiments.tabular.assessment import Assessment
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.target import ClassTarget, NumberTarget
from minidl_experiments.tabular.words import all_shortened, shortened

WIDTH = 4.3  # inches: on a page of 390 pixels the letters are still 12 pixels high
MOST_CLASSES = 12  # with numbers in the cells of the matrix
MOST_NAMES, SMALL = 40, 5.5  # of classes beside a matrix, and their size in points if there are many
DIGIT = 0.64  # the width of a digit, in its size
MOST_POINTS = 4000
# For names in letters that matplotlib's own font lacks, where the system has one of these.
FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans", "Yu Gothic", "Malgun Gothic", "Apple SD Gothic Neo", "Arial Unicode MS",
)  # fmt: skip
BAND: Any = {"alpha": 0.22, "linewidth": 0}


class Palette(NamedTuple):
    """Colours of a page: paper, text, grid, and two lines."""

    paper: str
    text: str
    grid: str
    first: str
    second: str


LIGHT = Palette("#ffffff", "#1f2328", "#e3e6ea", BLUE, ORANGE)
DARK = Palette("#16191d", "#e6e8eb", "#33383f", "#56b4e9", "#e69f00")


def draw_all(problem: Problem, found: Assessment, palette: Palette) -> dict[str, bytes]:
    """Return pictures as PNG by their names.

    Parameters
    ----------
    problem : Problem
    found : Assessment
    palette : Palette
    """
    draws: dict[str, Callable[[Figure, Palette], None]] = {
        "learning_curves": partial(_draw_curves, found.trained.history)
    }
    if isinstance(found.model.target, ClassTarget):
        draws["confusion_matrix"] = partial(_draw_matrix, problem, found)
    else:
        for i, name in enumerate(problem.names):
            key = "predicted_against_true" if len(problem.names) == 1 else f"predicted_against_true_{i + 1}"
            draws[key] = partial(_draw_points, problem, found, i, name)
    return {name: _png(draw, palette) for name, draw in draws.items()}


def _png(draw: Callable[[Figure, Palette], None], palette: Palette) -> bytes:
    with _colours(palette), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # it stands there as a box
        figure = Figure(figsize=(WIDTH, WIDTH * 0.8), layout="constrained")
        draw(figure, palette)
        file = io.BytesIO()
        figure.savefig(file, dpi=DPI, format="png")
    return file.getvalue()


@contextmanager
def _colours(palette: Palette) -> Iterator[None]:
    lines = "text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"
    papers = "figure.facecolor", "axes.facecolor", "savefig.facecolor"
    colours: Any = dict.fromkeys(lines, palette.text) | dict.fromkeys(papers, palette.paper)
    with plain_style():
        there = set(fontManager.get_font_names())
        fonts = [*mpl.rcParams["font.family"], *(name for name in FONTS if name in there)]
        mpl.rcParams.update(colours | {"grid.color": palette.grid, "font.family": fonts})
        yield


def _draw_curves(history: minidl.History, figure: Figure, palette: Palette) -> None:
    """Draw the losses per epoch: the median of the networks that are still trained, with a band over all of them."""
    axes = figure.add_subplot()
    epochs = np.arange(1, len(history) + 1)
    for name, label, color in (("loss", "training", palette.first), ("val_loss", "validation", palette.second)):
        if not history.curve(name).size:
            continue
        low, middle, high = (history.quantile(name, q) for q in (0.0, 0.5, 1.0))
        if history.curve(name).shape[1] > 1:
            axes.fill_between(epochs, low, high, color=color, **BAND)
        axes.plot(epochs, middle, color=color, label=label, marker="o" if len(epochs) == 1 else "")
    several = history.curve("loss").shape[1] > 1
    axes.set(xlabel="epoch", ylabel="loss", title="Learning curves" + (", median and range" if several else ""))
    axes.xaxis.set_major_locator(epoch_ticks())
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend()


def _draw_matrix(problem: Problem, found: Assessment, figure: Figure, palette: Palette) -> None:
    """Draw how often each class was predicted for rows of each class."""
    matrix = confusion(problem, found)
    classes = all_shortened(found.model.target.classes)  # type: ignore[union-attr]  # they are classes
    axes = figure.add_subplot(xlabel="predicted", ylabel="true", title=f"{matrix.sum()} test rows")
    axes.grid(visible=False)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colours = LinearSegmentedColormap.from_list("", [palette.paper, palette.first])
    image = axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    _name_classes(axes, classes)
    if len(classes) > MOST_CLASSES:
        figure.colorbar(image, label="share of the rows of the true class")
        return
    size = _number_size(axes, len(classes), int(matrix.max()))
    for (row, column), count in np.ndenumerate(matrix):
        colour = _readable(colours(shares[row, column]), palette)
        axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size)


def _number_size(axes: Axes, classes: int, largest: int) -> float:
    """Return the size in points of the numbers in a matrix: that of all text, or what the cells have room for."""
    figure = axes.get_figure(root=True)
    figure.draw_without_rendering()  # type: ignore[union-attr]  # the names beside the matrix decide how large it is
    cell = 72 * axes.get_window_extent().width / figure.dpi / classes  # type: ignore[union-attr]  # it is in a figure
    return min(float(RC["font.size"]), 0.9 * cell / (DIGIT * len(str(largest))))


def _readable(cell: Any, palette: Palette) -> str:
    """Return the colour, that of the paper or of text, that stands out from the colour of a cell."""
    return max(palette.paper, palette.text, key=lambda colour: contrast(colour, cell))


def contrast(one: Any, other: Any) -> float:
    """Return the contrast ratio of two colours, from 1 to 21, as the Web Content Accessibility Guidelines define it."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Any) -> float:
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _name_classes(axes: Axes, classes: list[str]) -> None:
    """Write the names of the classes beside rows and columns: small if there are many, and not all of very many."""
    few = len(classes) <= MOST_CLASSES
    places = range(0, len(classes), -(-len(classes) // MOST_NAMES))
    names, size = [classes[place] for place in places], None if few else SMALL
    turn = 90 if not few else 45 if max(map(len, classes)) > 4 else 0
    end: Any = {"ha": "right", "rotation_mode": "anchor"} if turn == 45 else {"ha": "center"}
    axes.set_xticks(places, names, rotation=turn, fontsize=size, **end)
    axes.set_yticks(places, names, fontsize=size)


def confusion(problem: Problem, found: Assessment) -> np.ndarray:
    """Return how often each class was predicted (columns) for test rows of each class (rows)."""
    classes = found.model.target.outputs
    matrix = np.zeros((classes, classes), int)
    for outcome in found.outcomes:
        np.add.at(matrix, (problem.y[outcome.rows], outcome.values.argmax(axis=1)), 1)
    return matrix


def _draw_points(problem: Problem, found: Assessment, i: int, name: str, figure: Figure, palette: Palette) -> None:
    """Draw predictions of a number against the true ones; points on the diagonal are right."""
    target = found.model.target
    quantiles = target.quantiles if isinstance(target, NumberTarget) else ()
    column = i * max(1, len(quantiles)) + (int(np.abs(np.array(quantiles) - 0.5).argmin()) if quantiles else 0)
    true = np.concatenate([problem.y[outcome.rows, i] for outcome in found.outcomes])
    predicted = np.concatenate([outcome.values[:, column] for outcome in found.outcomes])
    step = -(-len(true) // MOST_POINTS)
    ylabel = f"predicted quantile {quantiles[column % len(quantiles)]:g}" if quantiles else "predicted"
    title = f"{len(true)} test rows" + (f", one in {step} drawn" if step > 1 else "")
    axes = figure.add_subplot(xlabel=f"true {shortened(name)}", ylabel=ylabel, title=title)
    axes.scatter(true[::step], predicted[::step], s=10, alpha=0.6, color=palette.first, linewidths=0)
    _draw_diagonal(axes, palette)


def _draw_diagonal(axes: Axes, palette: Palette) -> None:
    low, high = max(axes.get_xlim()[0], axes.get_ylim()[0]), min(axes.get_xlim()[1], axes.get_ylim()[1])
    if low < high:
        axes.plot([low, high], [low, high], color=palette.second, linewidth=1.4, label="predicted = true")
        axes.legend(loc="upper left")
