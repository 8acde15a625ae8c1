"""The check of a learner's code: the first wrong element, or the line of an exception."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from minidl_experiments.exercises.cases import Case, WrongAnswerError, digits, element
from minidl_experiments.exercises.exercise import Exercise

_SEED = 2018
_LONGEST = 300  # characters of an error message


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check.

    Parameters
    ----------
    passed : bool
    message : str
        What is wrong, in one line or a few; empty if nothing is.
    hint : int, optional
        The hint that may help, from 1.
    printed : str
        What the learner's code printed, cut off.
    """

    passed: bool
    message: str = ""
    hint: int | None = None
    printed: str = ""


class Failure(NamedTuple):
    """The first case that failed: what came out of it, or the error that it raised."""

    case: Case
    results: Mapping[str, Any] | None
    error: Exception

    @property
    def text(self) -> str:
        """What is wrong, without the line."""
        kind = "" if isinstance(self.error, WrongAnswerError) else f"{type(self.error).__name__}: "
        return f"{kind}{str(self.error)[:_LONGEST]}"


def check_source(exercise: Exercise, source: str, file_name: str) -> Verdict:
    """Run code in this process and compare its results with the expected ones; NumPy's warnings are switched off.

    Parameters
    ----------
    exercise : Exercise
    source : str
    file_name : str
        Name for error messages.

    Returns
    -------
    Verdict
    """
    with np.errstate(all="ignore"):
        try:
            code = _load(source, file_name)
            if missing := [name for name in exercise.names if not hasattr(code, name)]:
                return Verdict(passed=False, message=f"the file has no {' and no '.join(missing)}")
            failure = _first_failure(code, exercise.cases(np.random.default_rng(_SEED)))
        except SystemExit:
            return Verdict(passed=False, message="the code ended the program (sys.exit) before the check was done")
        except Exception as error:  # noqa: BLE001 - the learner's code may raise anything
            return Verdict(passed=False, message=_place(error, source, file_name) + f"{type(error).__name__}: {error}")
        if failure is None:
            return Verdict(passed=True)
        return _judge(exercise, failure, _place(failure.error, source, file_name))


def _judge(exercise: Exercise, failure: Failure, place: str) -> Verdict:
    """Return the verdict on a failure, with the words of the mistake that gives the same results."""
    if isinstance(failure.error, NotImplementedError):
        return Verdict(passed=False, message=failure.text.partition(": ")[2] or "not written yet")
    message = f"{failure.case.words}:\n{place}{failure.text}"
    for mistake in exercise.mistakes:
        if _is_of(failure, exercise.with_mistake(mistake)):
            return Verdict(passed=False, message=f"{message}\n{mistake.words}", hint=mistake.hint)
    return Verdict(passed=False, message=message, hint=1)


def _load(source: str, file_name: str) -> ModuleType:
    module = ModuleType("exercise")  # not __main__: a block for that name does not run
    exec(compile(source, file_name, "exec"), module.__dict__)  # noqa: S102 - running the learner's code is the purpose
    return module


def _first_failure(code: ModuleType, cases: Iterable[Case]) -> Failure | None:
    for case in cases:
        results = None
        try:
            results = case.run(code)
            _compare(results, case)
        except Exception as error:  # noqa: BLE001 - the learner's code may raise anything
            return Failure(case, results, error)
    return None


def _is_of(failure: Failure, source: str) -> bool:
    """Return whether the solution with a mistake fails in the same case in the same way."""
    other = _first_failure(_load(source, "mistake"), [failure.case])
    if other is None:
        return False
    if failure.results is None or other.results is None:
        return other.text == failure.text
    with suppress(ValueError, TypeError):  # results that are no numbers
        pairs = [(failure.results[name], other.results[name]) for name in failure.case.expected]
        return all(_same(one, another, failure.case.floor) for one, another in pairs)
    return False


def _same(one: Any, other: Any, floor: float) -> bool:
    a, b = np.asarray(one), np.asarray(other)
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12 * floor, equal_nan=True)


def _compare(results: Mapping[str, Any], case: Case) -> None:
    """Raise `WrongAnswerError` for the first result with a wrong shape or element; the worst element is named."""
    for name, value in case.expected.items():
        want, got = np.asarray(value, float), _as_numbers(name, results[name])
        if got.shape != want.shape:
            raise WrongAnswerError(f"{name} has the shape {got.shape}, it should have {want.shape}")
        equal = (got == want) | (np.isnan(got) & np.isnan(want))
        error = np.asarray(np.where(equal, 0, np.abs(got - want) / np.maximum(case.floor, np.abs(want))))
        worst = np.unravel_index(np.argmax(error), error.shape)  # argmax takes nan for the largest
        if not error[worst] <= case.tolerance:
            raise WrongAnswerError(
                f"{element(name, worst)} is {digits(got[worst])}, it should be {digits(want[worst])}"
            )


def _as_numbers(name: str, value: Any) -> np.ndarray:
    if value is None:
        raise WrongAnswerError(f"{name} is None: is a return missing?")
    with suppress(ValueError, TypeError):
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array.astype(float)
    raise WrongAnswerError(f"{name} should be an array of numbers, and is a {type(value).__name__}")


def _place(error: Exception, source: str, file_name: str) -> str:
    """Return the last line of the learner's file that an exception came through, as a line of text, or nothing."""
    lines, frames = source.splitlines(), traceback.extract_tb(error.__traceback__)
    places = [(frame.lineno or 0, f", in {frame.name}") for frame in frames if frame.filename == file_name]
    if isinstance(error, SyntaxError) and error.filename == file_name:
        places.append((error.lineno or 0, ""))
    if not places:
        return ""
    number, function = places[-1]
    shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f"line {number}{function}: {shown}\n"
