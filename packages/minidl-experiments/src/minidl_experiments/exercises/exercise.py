"""An exercise as data: statement, stub, hints, solution, cases, and mistakes that are recognised."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl_experiments.exercises.cases import Case

_SOLUTIONS = Path(__file__).parent / "solutions"


class Mistake(NamedTuple):
    """A mistake that learners make, as a change of the solution.

    Parameters
    ----------
    right, wrong : str
        A piece of the solution that occurs once, and what the mistake makes of it.
    words : str
        What went wrong, as a sentence that does not give the solution away.
    hint : int
        The hint that may help, from 1.
    """

    right: str
    wrong: str
    words: str
    hint: int = 1


@dataclass(frozen=True)
class Exercise:
    """One exercise; its solution is the file of its name in the folder `solutions`.

    Parameters
    ----------
    name : str
        Words joined by hyphens.
    topic : str
    hints : tuple of str
        From gentle to nearly the line.
    cases : callable
        ``cases(rng)`` returns inputs with the expected results; rng is a `numpy.random.Generator`.
    mistakes : tuple of Mistake
    given : tuple of str
        Functions that the learner gets as they are.
    bug : Mistake, optional
        The wrong line of a file to debug. Without it the learner writes the functions that are not given.
    """

    name: str
    topic: str
    hints: tuple[str, ...]
    cases: Callable[[np.random.Generator], list[Case]]
    mistakes: tuple[Mistake, ...] = ()
    given: tuple[str, ...] = ()
    bug: Mistake | None = None

    @property
    def file_name(self) -> str:
        """Name of the learner's file."""
        return f"{self.name.replace('-', '_')}.py"

    @cached_property
    def source(self) -> str:
        """The file of the solution, whose docstring is the statement."""
        return (_SOLUTIONS / self.file_name).read_text(encoding="utf-8")

    @property
    def statement(self) -> str:
        """What to do, in plain words; the first line is the title."""
        return ast.get_docstring(ast.parse(self.source)) or ""

    @property
    def title(self) -> str:
        """The first line of the statement without its full stop."""
        return self.statement.partition("\n")[0].rstrip(".")

    @property
    def solution(self) -> str:
        """The code of the solution without the statement."""
        docstring = ast.parse(self.source).body[0]
        return "\n".join(self.source.splitlines()[docstring.end_lineno :]).strip() + "\n"

    @property
    def stub(self) -> str:
        """The learner's file as it is handed out: with the bug, or without the bodies of the functions to write."""
        return self.with_mistake(self.bug) if self.bug else _without_bodies(self.source, self.given)

    @property
    def names(self) -> tuple[str, ...]:
        """The functions and classes that a learner's file must have."""
        body = ast.parse(self.source).body
        return tuple(node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef))

    def with_mistake(self, mistake: Mistake) -> str:
        """Return the solution with a mistake.

        Parameters
        ----------
        mistake : Mistake

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If the piece that the mistake changes does not occur exactly once.
        """
        if self.source.count(mistake.right) != 1:
            raise ValueError(f"{self.name}: expected {mistake.right!r} once in the solution")
        return self.source.replace(mistake.right, mistake.wrong)


def _without_bodies(source: str, given: tuple[str, ...]) -> str:
    """Replace the body of each function that is not given by an error; docstrings stay."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef) and node.name not in given:
            first = node.body[0].end_lineno or 0  # the docstring, which every function has
            lines[first : node.end_lineno] = [f'    raise NotImplementedError("{node.name} is not written yet")']
    return "\n".join(lines) + "\n"
