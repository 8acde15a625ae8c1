"""What stands between the linear layers of a network: normalization, activation and dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import minidl

ACTIVATIONS: dict[str, type[minidl.Module] | None] = {
    "identity": None,
    "logistic": minidl.Sigmoid,
    "tanh": minidl.Tanh,
    "relu": minidl.ReLU,
    "leaky_relu": minidl.LeakyReLU,
    "elu": minidl.ELU,
    "gelu": minidl.GELU,
    "silu": minidl.SiLU,
    "softplus": minidl.Softplus,
}
NORMALIZATIONS: dict[str, type[minidl.BatchNorm1d | minidl.LayerNorm]] = {
    "batch": minidl.BatchNorm1d,
    "layer": minidl.LayerNorm,
}


class Form(NamedTuple):
    """What follows each hidden linear layer, in this order: normalization, activation, dropout.

    Attributes
    ----------
    activations : tuple of str
        One per hidden layer, by their names in `ACTIVATIONS`.
    dropouts : tuple of float
        One per hidden layer; 0 for none.
    normalize : str or None
        The name of the normalization in `NORMALIZATIONS`.
    """

    activations: tuple[str, ...]
    dropouts: tuple[float, ...]
    normalize: str | None

    def layers(self, i: int, width: int, dtype: Any, rng: np.random.Generator) -> list[minidl.Module]:
        """Return new layers that follow the i-th linear layer, which has this width; none follow the last one."""
        if i == len(self.activations):
            return []
        layers: list[minidl.Module] = []
        if self.normalize is not None:
            layers.append(NORMALIZATIONS[self.normalize](width, dtype=dtype))
        activation = ACTIVATIONS[self.activations[i]]
        if activation is not None:
            layers.append(activation())
        if self.dropouts[i]:
            layers.append(minidl.Dropout(self.dropouts[i], rng=rng))
        return layers


def form_of(hidden: int, activation: Any, dropout: Any, normalize: str | None) -> Form:
    """Return the form of a network that parameters of an estimator describe.

    Parameters
    ----------
    hidden : int
        Number of hidden layers.
    activation : str or sequence of str
    dropout : float or sequence of float
    normalize : {"batch", "layer"} or None

    Raises
    ------
    ValueError
        If a sequence has not one entry per hidden layer, for an unknown activation, or a dropout outside [0, 1).
    """
    names = _one_per_layer("activation", hidden, activation)
    for name in names:
        if name not in ACTIVATIONS:
            raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}, got {name!r}")
    given = _one_per_layer("dropout", hidden, dropout)
    try:
        dropouts = tuple(map(float, given))
    except (TypeError, ValueError) as error:
        raise ValueError(f"dropout: expected numbers in [0, 1), got {dropout!r}") from error
    for p_drop in dropouts:
        if not 0 <= p_drop < 1:
            raise ValueError(f"dropout: expected numbers in [0, 1), got {p_drop}")
    return Form(names, dropouts, normalize)


def _one_per_layer(name: str, hidden: int, value: Any) -> tuple[Any, ...]:
    """Return one value per hidden layer; a single one is repeated."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return (value,) * hidden
    if len(value) != hidden:
        raise ValueError(f"{name}: expected one per hidden layer, {hidden}, got {len(value)}: {value!r}")
    return tuple(value)
