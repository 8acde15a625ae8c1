"""Initial weights, drawn as scikit-learn draws them, or by a rule of minidl."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import minidl
from minidl_sklearn.network import new_generator


def initial_weights(
    widths: Sequence[int], activations: Sequence[str], dtype: np.dtype, rng: np.random.RandomState
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw weights and biases, layer by layer, uniformly within a bound of Glorot and Bengio (2010).

    The bound is ``sqrt(6 / (n_in + n_out))``, and ``sqrt(2 / (n_in + n_out))`` for the logistic activation.

    Parameters
    ----------
    widths : sequence of int
        Of the input, the hidden layers and the output.
    activations : sequence of str, not empty
        One per hidden layer. The output layer has the bound of the last of them.
    dtype : dtype
        They are drawn in float64 whatever it is.
    rng : RandomState

    Returns
    -------
    coefs : list of array, shape (n_in, n_out)
    intercepts : list of array, shape (n_out,)
    """
    coefs, intercepts = [], []
    for (n_in, n_out), activation in zip(pairwise(widths), [*activations, activations[-1]], strict=False):
        bound = math.sqrt((2.0 if activation == "logistic" else 6.0) / (n_in + n_out))
        coefs.append(rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype, copy=False))
        intercepts.append(rng.uniform(-bound, bound, n_out).astype(dtype, copy=False))
    return coefs, intercepts


def weights_by_rule(
    widths: Sequence[int], init: Any, dtype: np.dtype, rng: np.random.RandomState
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw weights and biases by a rule that `minidl.Linear` knows, all from one generator.

    Parameters
    ----------
    widths, dtype
        As for `initial_weights`.
    init : {"he", "glorot", "lecun", "torch"} or callable
    rng : RandomState
        Draws the seed of the generator.

    Returns
    -------
    coefs : list of array, shape (n_in, n_out)
    intercepts : list of array, shape (n_out,)
    """
    generator = new_generator(rng)
    layers = [minidl.Linear(*pair, init=init, dtype=dtype, rng=generator) for pair in pairwise(widths)]
    return [layer.weight.T for layer in layers], [np.asarray(layer.bias) for layer in layers]
