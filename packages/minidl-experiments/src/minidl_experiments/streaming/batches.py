"""The second pass and all that follow: batches in a new order for each epoch, in the memory of some pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from minidl_experiments.streaming.roles import UNUSED, Role
from minidl_experiments.streaming.survey import Survey
from minidl_experiments.streaming.target import raw_targets, unlabelled_rows
from minidl_experiments.tabular.cells import read_as
from minidl_experiments.tabular.choices import Missing
from minidl_experiments.tabular.model import refuse_missing
from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.target import NumberTarget

BUFFER = 2**17
"""Encoded rows that are mixed with each other."""

OPEN = 8
"""Groups of rows that are read at the same time, so that a buffer has rows of several of them."""


class Batches:
    """A callable that returns the batches of the next epoch.

    The groups of rows come in random order, several of them at the same time, and rows are mixed within a buffer. A
    file whose rows are sorted in long groups is therefore mixed less than arrays in memory are.

    Parameters
    ----------
    survey : Survey
    size : int
        Rows of a batch; the last one of an epoch may be short.
    seed : int
    missing : Missing
        Whether missing cells are refused.
    """

    def __init__(self, survey: Survey, size: int, seed: int, missing: Missing = Missing.IMPUTE) -> None:
        self._survey, self._size, self._missing = survey, size, missing
        self._seed, self._epoch = seed, 0

    def __call__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Return the batches of the next epoch, each inputs and targets."""
        self._epoch += 1
        return self._cut(np.random.default_rng([self._seed, self._epoch]))

    def _cut(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Mix encoded rows in a buffer, and cut it into batches."""
        xs: list[np.ndarray] = []
        ys: list[np.ndarray] = []
        for x, y in self._encoded(rng):
            xs.append(x)
            ys.append(y)
            if sum(map(len, xs)) >= BUFFER:
                x, y = _mixed(xs, ys, rng)
                end = len(x) - len(x) % self._size
                yield from ((x[i : i + self._size], y[i : i + self._size]) for i in range(0, end, self._size))
                xs, ys = [x[end:].copy()], [y[end:].copy()]
        if sum(map(len, xs)):
            x, y = _mixed(xs, ys, rng)
            yield from ((x[i : i + self._size], y[i : i + self._size]) for i in range(0, len(x), self._size))

    def _encoded(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield encoded training rows, a piece of each open group in turn."""
        pieces = self._survey.pieces
        waiting = deque(rng.permutation(len(pieces.groups)).tolist())
        opened: deque[Iterator[tuple[int, Table]]] = deque()
        while waiting or opened:
            while waiting and len(opened) < OPEN:
                opened.append(pieces.read(pieces.groups[waiting.popleft()], self._survey.columns))
            reader = opened.popleft()
            piece = next(reader, None)
            if piece is not None:
                opened.append(reader)
                rows = self._rows(*piece)
                if len(rows):
                    yield encode(self._survey, rows, self._missing)

    def _rows(self, start: int, table: Table) -> Table:
        """Return the rows of a piece that are trained on."""
        role = self._survey.roles.of(start, len(table))
        role[unlabelled_rows(table, self._survey.target.names)] = UNUSED
        return table.take(np.flatnonzero(role == Role.TRAIN))


def encode(survey: Survey, table: Table, missing: Missing = Missing.IMPUTE) -> tuple[np.ndarray, np.ndarray]:
    """Return rows as networks see and learn them."""
    cells = read_as(table, survey.encoder.kinds, survey.encoder.binary)
    if missing is Missing.REFUSE:
        refuse_missing(cells, table.place)
    y = raw_targets(survey.target, table)
    target = survey.target
    return survey.encoder.encode(cells, table.place), target.encode(y) if isinstance(target, NumberTarget) else y


def _mixed(xs: list[np.ndarray], ys: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.concatenate(xs), np.concatenate(ys)
    order = rng.permutation(len(x))
    return x[order], y[order]
