"""Every exercise: its solution passes, its stub fails, and each planted mistake is caught and named."""

import ast

import numpy as np
import pytest

from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.checking import check_source
from minidl_experiments.exercises.exercise import Mistake

ALL = list(EXERCISES.values())
BUGS = [one for one in ALL if one.bug]
MISTAKES = [(one, mistake) for one in ALL for mistake in one.mistakes]


def name_of(value):
    return getattr(value, "name", None) or getattr(value, "words", None)


def check(exercise, source):
    return check_source(exercise, source, "learner.py")


def test_there_are_forty_exercises_of_which_ten_are_bugs():
    assert (len(ALL), len(BUGS)) == (40, 10)


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_the_solution_passes(exercise):
    verdict = check(exercise, exercise.source)
    assert verdict.passed, verdict.message


@pytest.mark.parametrize("exercise", [one for one in ALL if not one.bug], ids=name_of)
def test_the_stub_says_that_nothing_is_written_yet(exercise):
    verdict = check(exercise, exercise.stub)
    first = next(name for name in exercise.names if name not in exercise.given)
    assert not verdict.passed
    assert verdict.message.endswith("is not written yet")
    assert verdict.message.split()[0] in exercise.names
    assert f'raise NotImplementedError("{first} is not written yet")' in exercise.stub


@pytest.mark.parametrize("exercise", BUGS, ids=name_of)
def test_the_planted_bug_is_caught_and_not_given_away(exercise):
    verdict = check(exercise, exercise.stub)
    assert not verdict.passed
    assert verdict.hint == 1
    case, wrong = verdict.message.split("\n")  # no third line
    assert case.endswith(":")
    assert "it should be" in wrong or "must not be changed" in wrong
    assert exercise.bug.words not in exercise.stub


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=name_of)
def test_a_mistake_is_caught_and_named(exercise, mistake):
    verdict = check(exercise, exercise.with_mistake(mistake))
    assert not verdict.passed
    assert verdict.message.endswith(f"\n{mistake.words}")
    assert verdict.hint == mistake.hint


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_the_data_is_complete(exercise):
    title, blank, *rest = exercise.statement.split("\n")
    assert title.endswith(".")
    assert len(title) <= 46  # a row of `minidl exercise list` has 80 columns
    assert not blank
    assert rest
    assert 2 <= len(exercise.hints) <= 3
    assert all(1 <= mistake.hint <= len(exercise.hints) for mistake in exercise.mistakes)
    assert exercise.bug or len(exercise.mistakes) >= 2
    assert set(exercise.given) < set(exercise.names)
    assert max(map(len, exercise.stub.splitlines())) <= 100


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_a_learners_file_needs_numpy_alone(exercise):
    imports = [node for node in ast.walk(ast.parse(exercise.stub)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.name for node in imports for alias in node.names} <= {"numpy", "math"}


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_the_stub_has_the_statement_and_the_solution_has_not(exercise):
    assert ast.get_docstring(ast.parse(exercise.stub)) == exercise.statement
    assert exercise.statement.splitlines()[0] not in exercise.solution
    assert ast.get_docstring(ast.parse(exercise.solution)) is None


def test_the_cases_are_the_same_each_time():
    one, other = (EXERCISES["linear"].cases(np.random.default_rng(0)) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        assert first.words == second.words
        for name, value in first.expected.items():
            np.testing.assert_array_equal(value, second.expected[name])


def test_a_mistake_must_change_the_solution_in_one_place():
    with pytest.raises(ValueError, match="relu: expected 'y' once in the solution"):
        EXERCISES["relu"].with_mistake(Mistake("y", "z", ""))
