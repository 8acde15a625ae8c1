"""The kinds of layers, losses and optimizers that the engine has, as the compiled code lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from minidl_native import _engine


@dataclass(frozen=True)
class Kinds:
    """The kinds that the engine has: for each class name the names of its settings, in the engine's order.

    Attributes
    ----------
    layers, losses, optimizers : mapping from str to tuple of str

    Examples
    --------
    >>> import minidl_native
    >>> minidl_native.KINDS.layers["LeakyReLU"], minidl_native.KINDS.optimizers["SGD"]
    (('alpha',), ('momentum', 'nesterov', 'weight_decay', 'clip', 'decay_biases'))
    """

    layers: Mapping[str, tuple[str, ...]]
    losses: Mapping[str, tuple[str, ...]]
    optimizers: Mapping[str, tuple[str, ...]]


FACTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = _engine.kinds()
"""All that the engine says of its kinds."""


def _settings(group: str) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({kind: facts["settings"] for kind, facts in FACTS[group].items()})


KINDS = Kinds(_settings("layers"), _settings("losses"), _settings("optimizers"))
