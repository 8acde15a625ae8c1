"""The grid of a sweep: all combinations of the values along its axes, each for several seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import NamedTuple

from minidl_experiments.settings import Activation, Optimizer


@dataclass(frozen=True)
class Config:
    """One point of the grid.

    Attributes
    ----------
    lr : float
        Fixed learning rate.
    width : int
        Units in each hidden layer.
    activation : Activation
        Activation of all hidden layers.
    optimizer : Optimizer
    batch_size : int
    p_drop : float
        Dropout probability behind each hidden layer.
    """

    lr: float
    width: int
    activation: Activation
    optimizer: Optimizer
    batch_size: int
    p_drop: float


AXES = tuple(field.name for field in fields(Config))
"""The names of a grid's axes, in the order of `Config`."""


class Run(NamedTuple):
    """One training: a configuration with a seed."""

    config: Config
    seed: int


@dataclass(frozen=True)
class Grid:
    """Values along each axis; the defaults are the report's network.

    Attributes
    ----------
    lr, width, activation, optimizer, batch_size, p_drop : tuple
        Values to combine.
    seeds : tuple of int
        Seeds for which each configuration is trained.
    """

    lr: tuple[float, ...] = (1e-3,)
    width: tuple[int, ...] = (25,)
    activation: tuple[Activation, ...] = (Activation.RELU,)
    optimizer: tuple[Optimizer, ...] = (Optimizer.ADAM,)
    batch_size: tuple[int, ...] = (50,)
    p_drop: tuple[float, ...] = (0.0,)
    seeds: tuple[int, ...] = tuple(range(10))

    @property
    def configs(self) -> list[Config]:
        """All combinations; the first axis varies slowest."""
        return [Config(*values) for values in product(*(getattr(self, axis) for axis in AXES))]

    @property
    def runs(self) -> Iterator[Run]:
        """All combinations with all seeds."""
        return (Run(config, seed) for config in self.configs for seed in self.seeds)

    @property
    def varied(self) -> list[str]:
        """The axes with more than one value."""
        return [axis for axis in AXES if len(getattr(self, axis)) > 1]


@dataclass(frozen=True)
class Definition:
    """Settings shared by all runs of a sweep.

    Attributes
    ----------
    epochs : int
    samples : int
        Points in the training set of a seed; the test set has the same number.
    """

    epochs: int = 50
    samples: int = 1000
