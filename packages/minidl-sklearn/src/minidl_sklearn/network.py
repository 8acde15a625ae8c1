"""The network of minidl behind an estimator, and its parameters as scikit-learn has them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

import minidl

ACTIVATIONS: dict[str, type[minidl.Module] | None] = {
    "identity": None,
    "logistic": minidl.Sigmoid,
    "tanh": minidl.Tanh,
    "relu": minidl.ReLU,
}


class Network:
    """A network whose weights and biases are also ``coefs_`` and ``intercepts_``.

    These are views of the network's one vector, so a change of one is a change of the other.

    Parameters
    ----------
    coefs : sequence of array, shape (n_in, n_out)
        Copied.
    intercepts : sequence of array, shape (n_out,)
        Copied.
    activation : str
        Of the hidden layers, by scikit-learn's name.

    Attributes
    ----------
    model : minidl.Sequential
        Without an activation behind the last layer: its outputs are logits, predictions, or logarithms of rates.
    coefs, intercepts : list of array
    activation : str
    """

    def __init__(self, coefs: Sequence[Any], intercepts: Sequence[Any], activation: str) -> None:
        coefs = [np.asarray(weight) for weight in coefs]
        dtype = np.result_type(*coefs, *intercepts)
        dtype = dtype if dtype in (np.float32, np.float64) else np.dtype(np.float64)
        kind = ACTIVATIONS[activation]
        layers: list[minidl.Module] = []
        for weight in coefs:
            if layers and kind is not None:
                layers.append(kind())
            layers.append(minidl.Linear(*weight.shape, dtype=dtype, init=lambda _rng, shape: np.zeros(shape), rng=0))
        self.model, self.activation = minidl.Sequential(layers), activation
        self.make_views()
        self.copy_from(coefs, intercepts)

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters, float32 or float64."""
        return self.model.values.dtype

    def is_of(self, coefs: Any, intercepts: Any, activation: str) -> bool:
        """Whether arrays are the views of this network, none of them replaced."""
        return (
            activation == self.activation
            and len(coefs) == len(intercepts) == len(self.coefs)
            and all(map(is_, coefs, self.coefs))
            and all(map(is_, intercepts, self.intercepts))
        )

    def fits(self, coefs: Sequence[Any], intercepts: Sequence[Any], activation: str) -> bool:
        """Whether a network of these parameters has the same layers and dtype."""
        given, own = [*coefs, *intercepts], [*self.coefs, *self.intercepts]
        return (
            activation == self.activation
            and [np.shape(array) for array in given] == [array.shape for array in own]
            and np.result_type(*given) == self.dtype
        )

    def copy_from(self, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
        """Take over the numbers of other arrays of the same shapes."""
        for own, other in zip([*self.coefs, *self.intercepts], [*coefs, *intercepts], strict=True):
            if own is not other:
                own[...] = other

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the views, which a pickle would make arrays of their own."""
        return {"model": self.model, "activation": self.activation}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.make_views()

    def make_views(self) -> None:
        """Make the lists of views anew."""
        linear = [layer for layer in self.model.layers if isinstance(layer, minidl.Linear)]
        self.coefs: list[Any] = [layer.weight.T for layer in linear]
        self.intercepts: list[Any] = [layer.bias for layer in linear]
