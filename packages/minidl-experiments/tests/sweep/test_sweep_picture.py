import matplotlib.colors
import pytest

from minidl_experiments.figures import save
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Grid, Run
from minidl_experiments.sweep.picture import draw
from minidl_experiments.sweep.scores import score


def scores_of(grid, accuracy):
    return [score(config, [accuracy(config)] * len(grid.seeds)) for config in grid.configs]


def no_curves(run):
    raise AssertionError(run)


def panels(figure):
    """Return the panels by title, without the colour bar."""
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def words(axes):
    """Return the texts in the cells of a heat map, by row from the bottom."""
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    rows = sorted({row for _, row in cells})
    return [[cells[at] for at in sorted(cells) if at[1] == row] for row in rows]


def test_two_axes_give_a_heat_map():
    grid = Grid(lr=(1e-2, 1e-3, 1e-1), width=(25, 10))
    figure = draw(grid, scores_of(grid, lambda config: config.width / 100 + config.lr), no_curves)
    ((title, axes),) = panels(figure).items()
    assert title == "adam, relu"
    assert words(axes) == [["10.1", "11.0", "20.0"], ["25.1", "26.0", "35.0"]]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.001", "0.01", "0.1"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["10", "25"]
    assert figure.get_supxlabel() == "learning rate"
    assert figure.get_supylabel() == "width (units per hidden layer)"
    assert figure.axes[-1].get_ylabel() == "mean test accuracy (%)"
    assert figure.get_suptitle() == "Mean test accuracy of 10 seeds\nrelu, adam, batch_size 50, p_drop 0"


def test_kinds_give_panels_and_other_axes_are_at_their_best_value():
    grid = Grid(
        width=(5, 10),
        batch_size=(20, 50),
        p_drop=(0.0, 0.1, 0.2),
        activation=(Activation.RELU, Activation.TANH),
        optimizer=(Optimizer.ADAM, Optimizer.SGD),
        seeds=(0,),
    )
    bonus = {"adam": 0.4, "sgd": 0.0, "relu": 0.2, "tanh": 0.0}

    def accuracy(config):
        best_drop = 0.1 if config.width == 5 else 0.2
        return bonus[config.optimizer] + bonus[config.activation] + (0.1 if config.p_drop == best_drop else 0.0)

    figure = draw(grid, scores_of(grid, accuracy), no_curves)
    drawn = {title: words(axes) for title, axes in panels(figure).items()}
    assert drawn == {
        "adam, relu": [["70.0"] * 2] * 2,
        "adam, tanh": [["50.0"] * 2] * 2,
        "sgd, relu": [["30.0"] * 2] * 2,
        "sgd, tanh": [["10.0"] * 2] * 2,
    }
    assert figure.get_suptitle() == "Mean test accuracy of one seed, at the best dropout probability\nlr 0.001"


def test_cells_mark_diverged_seeds():
    grid = Grid(lr=(1.0, 2.0), width=(5, 10), seeds=(0, 1))
    values = iter([[0.5, 0.7], [0.8, None], [None, None], [0.9, 0.9]])
    figure = draw(grid, [score(config, next(values)) for config in grid.configs], no_curves)
    ((_, axes),) = panels(figure).items()
    assert words(axes) == [["60.0", "nan"], ["80.0*", "90.0"]]
    assert figure.get_suptitle().splitlines()[2:] == ["* without the seeds that diverged", "nan: all seeds diverged"]


def test_the_text_of_a_cell_has_enough_contrast():
    grid = Grid(lr=tuple(1.0 + number for number in range(20)), width=(5, 10))
    figure = draw(grid, scores_of(grid, lambda config: config.lr / 20), no_curves)
    ((_, axes),) = panels(figure).items()
    for text, cell in zip(axes.texts, axes.patches, strict=True):
        contrast = [
            0.05 + sum(part * share for part, share in zip(linear(color), (0.2126, 0.7152, 0.0722), strict=True))
            for color in (text.get_color(), cell.get_facecolor())
        ]
        assert max(contrast) / min(contrast) > 3  # the minimum of the accessibility guidelines (WCAG) for large text


def linear(color):
    return [
        part / 12.92 if part < 0.04 else ((part + 0.055) / 1.055) ** 2.4 for part in matplotlib.colors.to_rgb(color)
    ]


def test_one_axis_gives_lines():
    grid = Grid(lr=(0.1, 0.01, 10.0), activation=(Activation.RELU, Activation.TANH), seeds=(0, 1, 2))
    scores = [
        score(config, [None] * 3 if config.lr == 10 else [config.lr, config.lr + 0.1, config.lr + 0.2])
        for config in grid.configs
    ]
    figure = draw(grid, scores, no_curves)
    ((title, axes),) = panels(figure).items()
    assert title == "adam"
    assert [line.get_label() for line in axes.lines] == ["relu", "tanh"]
    for line, band in zip(axes.lines, axes.collections, strict=True):
        assert line.get_ydata()[:2].tolist() == pytest.approx([11.0, 20.0])
        assert band.get_datalim(axes.transData).intervaly.tolist() == pytest.approx([2, 29])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.01", "0.1", "10"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning rate", "test accuracy (%)")
    assert figure.get_suptitle().endswith("without the 6 runs that diverged")


def test_no_axis_gives_learning_curves():
    grid = Grid(optimizer=(Optimizer.ADAM, Optimizer.SGD), seeds=(0, 1, 2))
    ends = {0: [0.1, 0.5], 1: [0.3, 0.7], 2: [0.9]}  # the last seed diverges in its second epoch

    def curves_of(run):
        assert isinstance(run, Run)
        return {"test_accuracy": ends[run.seed]}

    figure = draw(grid, [score(config, [0.5, 0.7, None]) for config in grid.configs], curves_of)
    assert list(panels(figure)) == ["adam, relu", "sgd, relu"]
    for axes in panels(figure).values():
        (line,) = axes.lines
        assert line.get_xydata().tolist() == [[1, pytest.approx(20)], [2, pytest.approx(60)]]
        assert axes.get_xlabel() == "epoch"


@pytest.mark.parametrize("grid", [Grid(), Grid(lr=(1.0, 2.0)), Grid(lr=(1.0, 2.0), width=(1, 2))])
def test_a_picture_can_be_saved_if_all_runs_diverged(grid, tmp_path):
    scores = [score(config, [None] * 10) for config in grid.configs]
    path = save(draw(grid, scores, lambda _: {"test_accuracy": []}), tmp_path / "sweep.png")
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("grid", "ticks"), [(Grid(seeds=(0, 1)), []), (Grid(lr=(1.0, 2.0), seeds=(0, 1)), ["1", "2"])])
def test_the_picture_states_that_all_seeds_diverged(grid, ticks):
    lengths = {0: 1, 1: 3}
    scores = [score(config, [None, None]) for config in grid.configs]
    (axes,) = draw(grid, scores, lambda run: {"test_accuracy": [0.5] * lengths[run.seed]}).axes
    assert [text.get_text() for text in axes.texts] == ["all seeds diverged"]
    assert axes.get_ylim() == (0, 100)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ticks
    assert all(len(line.get_xydata()) != 3 for line in axes.lines)  # no curve of diverged seeds


def test_epoch_ticks_are_round_numbers():
    curve = [0.5] * 50
    (axes,) = draw(Grid(seeds=(0,)), [score(Grid().configs[0], [0.5])], lambda _: {"test_accuracy": curve}).axes
    assert axes.get_xticks().tolist() == [0, 10, 20, 30, 40, 50, 60]
