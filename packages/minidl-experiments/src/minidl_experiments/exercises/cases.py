"""The cases of an exercise: what is run of the learner's code, and the values that must come out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

TOLERANCE = 1e-9


class WrongAnswerError(Exception):
    """The learner's code ran and did something wrong; the message says what."""


class Case(NamedTuple):
    """One input of an exercise with the expected results.

    Parameters
    ----------
    words : str
        What is run, as text: ``backward with dy (4, 3), x (4, 2)``.
    run : callable
        ``run(code)`` runs the learner's module and returns the results by name.
    expected : mapping from str to array
    tolerance : float
        Largest error, relative to the expected value where that is above `floor`.
    floor : float
    """

    words: str
    run: Callable[[Any], Mapping[str, Any]]
    expected: Mapping[str, Any]
    tolerance: float = TOLERANCE
    floor: float = 1.0


def call(function: str, inputs: Mapping[str, Any], expected: Mapping[str, Any], **limits: float) -> Case:
    """Return the case of one call, which must return the expected values and leave its inputs as they are.

    Parameters
    ----------
    function : str
        Name in the learner's file.
    inputs : mapping from str to object
        Arguments by name, passed by position.
    expected : mapping from str to array
        Returned values by name: one value, or a tuple of several.
    **limits : float
        `tolerance` and `floor` of the case.

    Returns
    -------
    Case
    """

    def run(code: Any) -> Mapping[str, Any]:
        given = copy.deepcopy(dict(inputs))
        returned = getattr(code, function)(*given.values())
        require_unchanged(inputs, given)
        return name_values(function, returned, tuple(expected))

    return Case(f"{function} with {describe(inputs)}", run, expected, **limits)


def require_unchanged(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raise `WrongAnswerError` if an array was written to."""
    for name, array in before.items():
        if isinstance(array, list):
            require_unchanged(*({f"{name}[{i}]": part for i, part in enumerate(one)} for one in (array, after[name])))
        if isinstance(array, np.ndarray) and not np.array_equal(array, after[name], equal_nan=True):
            where = np.unravel_index(np.argmax(array != after[name]), array.shape)
            was, now = digits(array[where]), digits(after[name][where])
            raise WrongAnswerError(
                f"{element(name, where)} was {was} before the call and is {now} after it: an input must not be changed"
            )


def name_values(function: str, returned: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the returned values by name.

    Raises
    ------
    WrongAnswerError
        If their number is another.
    """
    if len(names) == 1:
        return {names[0]: returned}
    if not isinstance(returned, tuple | list) or len(returned) != len(names):
        raise WrongAnswerError(
            f"{function} should return {len(names)} values ({', '.join(names)}), and returned {_kind(returned)}"
        )
    return dict(zip(names, returned, strict=True))


def describe(inputs: Mapping[str, Any]) -> str:
    """Return inputs as text: shapes of arrays, values of numbers, names of all else."""
    return ", ".join(_describe(name, value) for name, value in inputs.items())


def element(name: str, where: tuple[Any, ...]) -> str:
    """Return the name of an element: ``dx[0, 1]``, or for a single number ``loss``."""
    return f"{name}[{', '.join(str(int(i)) for i in where)}]" if where else name


def digits(number: Any) -> str:
    """Return a number with nine digits; minus zero is 0."""
    return f"{number + 0.0:.9g}"


def _describe(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{name} {value.shape}"
    return f"{name}={value:g}" if isinstance(value, int | float) else name


def _kind(returned: Any) -> str:
    if isinstance(returned, np.ndarray):
        return f"an array of shape {returned.shape}"
    if isinstance(returned, tuple | list):
        return f"{len(returned)} values"
    return "None" if returned is None else f"a {type(returned).__name__}"
