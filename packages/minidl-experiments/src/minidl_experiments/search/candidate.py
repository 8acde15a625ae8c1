"""The settings that a search varies."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.tabular.choices import Schedule
from minidl_experiments.tabular.options import Options, read_option


@dataclass(frozen=True)
class Candidate:
    """One configuration; the attributes are those of `Options`, and None is chosen by the data.

    Attributes
    ----------
    width : tuple of int
        Units of each hidden layer.
    lr, weight_decay : float or None
    p_drop : float
    batch_size : int or None
    activation : Activation
    optimizer : Optimizer
    schedule : Schedule
    """

    width: tuple[int, ...] = Options.width
    lr: float | None = None
    p_drop: float = 0.0
    weight_decay: float | None = None
    batch_size: int | None = None
    activation: Activation = Options.activation
    optimizer: Optimizer = Options.optimizer
    schedule: Schedule = Options.schedule

    @classmethod
    def of(cls, options: Options) -> Candidate:
        """Return the configuration that options have."""
        return cls(**{name: getattr(options, name) for name in FIELDS})

    def options(self, shared: Options) -> Options:
        """Return the options of a training with this configuration."""
        return replace(shared, **{name: getattr(self, name) for name in FIELDS})

    @property
    def key(self) -> str:
        """The configuration as JSON, by which results are found again."""
        return json.dumps({name: getattr(self, name) for name in FIELDS}, separators=(",", ":"))


FIELDS = tuple(field.name for field in fields(Candidate))
"""The names of a configuration's settings."""


def parse_key(text: str) -> Candidate:
    """Return the configuration of a key.

    Raises
    ------
    ValueError
        For a text that is not the key of a configuration.
    """
    found = json.loads(text)
    if not isinstance(found, dict) or found.keys() != set(FIELDS):
        raise ValueError(f"expected the settings {', '.join(FIELDS)}")
    values: dict[str, Any] = {
        name: None if value is None else read_option(name, name, value) for name, value in found.items()
    }
    candidate = Candidate(**values)
    if candidate.key != text:
        raise ValueError(f"expected {candidate.key}")
    return candidate


NAMES = {name: name for name in FIELDS} | {"width": "hidden"}
"""What the command and its tables call the settings."""


def setting_words(candidate: Candidate, field: str) -> str:
    """Return one setting as text: ``0.001``, ``32,32``, ``auto`` for one that is chosen by the data."""
    value: Any = getattr(candidate, field)
    if value is None:
        return "auto"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def candidate_words(candidate: Candidate, names: list[str]) -> str:
    """Return some settings as text: ``hidden 32,32, lr 0.001``."""
    return ", ".join(f"{NAMES[name]} {setting_words(candidate, name)}" for name in names)
