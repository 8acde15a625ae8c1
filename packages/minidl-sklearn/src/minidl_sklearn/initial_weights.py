"""Initial weights, drawn as scikit-learn draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def initial_weights(
    widths: Sequence[int], activation: str, dtype: np.dtype, rng: np.random.RandomState
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw weights and biases, layer by layer, uniformly within a bound of Glorot and Bengio (2010).

    The bound is ``sqrt(6 / (n_in + n_out))``, and ``sqrt(2 / (n_in + n_out))`` for the logistic activation.

    Parameters
    ----------
    widths : sequence of int
        Of the input, the hidden layers and the output.
    activation : str
        Of the hidden layers.
    dtype : dtype
        They are drawn in float64 whatever it is.
    rng : RandomState

    Returns
    -------
    coefs : list of array, shape (n_in, n_out)
    intercepts : list of array, shape (n_out,)
    """
    factor = 2.0 if activation == "logistic" else 6.0
    coefs, intercepts = [], []
    for n_in, n_out in pairwise(widths):
        bound = math.sqrt(factor / (n_in + n_out))
        coefs.append(rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype, copy=False))
        intercepts.append(rng.uniform(-bound, bound, n_out).astype(dtype, copy=False))
    return coefs, intercepts
