import io

import pytest
from rich.console import Console

from minidl_experiments.progress import EpochProgress, time_words
from minidl_experiments.sweep import Grid, Result, Run
from minidl_experiments.sweep.progress import SweepProgress

GRID = Grid(lr=(1.0, 2.0, 3.0), seeds=(0, 1))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def result(config, seed, accuracy, seconds):
    ends = None if accuracy is None else {"test_accuracy": accuracy}
    return Result(Run(config, seed), ends, {}, None, seconds)


def watch(clock, accuracies, *, seconds, finished=None, terminal=False):
    """Report runs one after another, `seconds` apart; return the printed text."""
    screen = io.StringIO()
    console = Console(file=screen, width=200, force_terminal=terminal)
    with SweepProgress(console, GRID, finished or {}, clock) as progress:
        for (config, seed), accuracy in accuracies.items():
            clock.now += seconds
            progress.report([result(config, seed, accuracy, seconds)], 1)
    return screen.getvalue()


def all_of(values):
    return dict(zip(GRID.runs, values, strict=True))


def test_plain_lines(clock):
    assert watch(clock, all_of([0.5, 0.7, 0.9, 0.8, 0.1, None]), seconds=10).splitlines() == [
        "0 of 3 configurations",
        "0 of 3 configurations, 50 s left",
        "1 of 3 configurations, 40 s left, best 60.00 %, with lr 1",
        "1 of 3 configurations, 30 s left, best 60.00 %, with lr 1",
        "2 of 3 configurations, 20 s left, best 85.00 %, with lr 2",
        "2 of 3 configurations, 10 s left, best 85.00 %, with lr 2",
        "3 of 3 configurations, best 85.00 %, with lr 2",
    ]


def test_plain_lines_are_limited_in_frequency(clock):
    lines = watch(clock, all_of([0.5] * 6), seconds=2).splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "3"]


def test_finished_runs_count_from_the_start(clock):
    runs = all_of([0.5, 0.7, None, None, 0.1, 0.2])
    (config, *_), *_ = runs
    before = {run: value for run, value in runs.items() if run.config == config}
    other = {Run(Grid(lr=(9.0,)).configs[0], 0): 1.0, Run(config, 7): 1.0}
    rest = {run: value for run, value in runs.items() if run not in before}
    assert watch(clock, rest, seconds=10, finished=before | other).splitlines()[:2] == [
        "1 of 3 configurations, best 60.00 %, with lr 1",
        "1 of 3 configurations, 30 s left, best 60.00 %, with lr 1",
    ]


def test_the_estimate_counts_the_finished_parts_of_running_batches(clock):
    console = Console(file=io.StringIO(), width=200)
    with SweepProgress(console, GRID, {}, clock) as progress:
        clock.now += 10
        progress.report([result(GRID.configs[0], 0, 0.5, 10)], 2)  # two workers have done 20 s of 60 s
        assert "20 s left" in console.file.getvalue()


def test_a_terminal_shows_the_time_spent(clock):
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    with SweepProgress(console, GRID, {}, clock):
        clock.now += 7
    assert "0 of 3 configurations, 7 s so far" in console.file.getvalue()


@pytest.mark.parametrize("width", [80, 40])
def test_epochs_fit_a_narrow_terminal(width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    with EpochProgress(console, 1000) as progress:
        progress.start("1/8 ReLU / sigmoid")
        progress.advance()
    shown = console.file.getvalue()
    assert "1 of 1000 epochs" in shown
    assert ("1 of 1000 epochs, 1/8 ReLU / sigmoid" in shown) == (width == 80)


def test_no_best_configuration_if_all_runs_diverged(clock):
    assert "best" not in watch(clock, all_of([None] * 6), seconds=10)


def test_a_terminal_gets_a_bar(clock):
    shown = watch(clock, all_of([0.5] * 6), seconds=10, terminal=True)
    assert "━" in shown
    assert "3 of 3 configurations, best 50.00 %, with lr 1" in shown


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_durations(seconds, words):
    assert time_words(seconds) == words
