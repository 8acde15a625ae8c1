"""Probabilities of classes from logits."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array, backend_of, describe


def softmax(x: Array) -> Array:
    """Turn the logits of classes into probabilities, ``p = exp(x) / Σ exp(x)`` over the last axis.

    The largest logit is subtracted first. That changes no probability, and no exponential overflows. A network that
    ends with logits, for `CrossEntropyLoss`, predicts probabilities as ``softmax(predict(model, x))``.

    Parameters
    ----------
    x : array, shape (..., C)
        A logit of minus infinity is a probability of 0.

    Returns
    -------
    array, shape (..., C)
        In the library and dtype of x. The rows sum to 1.

    Raises
    ------
    TypeError, ValueError
        If x is not a floating array, or has no classes.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([[0.0, 0.0], [1000.0, 1001.0]])).round(4)
    array([[0.5   , 0.5   ],
           [0.2689, 0.7311]])
    """
    xp, x = _shifted("softmax", x)
    p = xp.exp(x)
    return p / xp.sum(p, axis=-1, keepdims=True)


def log_softmax(x: Array) -> Array:
    """Compute the logarithms of the probabilities of `softmax`, ``x - log(Σ exp(x))``, also where those round to 0.

    Parameters
    ----------
    x : array, shape (..., C)

    Returns
    -------
    array, shape (..., C)

    Raises
    ------
    TypeError, ValueError
        As `softmax`.

    Examples
    --------
    >>> import numpy as np
    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    xp, x = _shifted("log_softmax", x)
    return x - xp.log(xp.sum(xp.exp(x), axis=-1, keepdims=True))


def _shifted(who: str, x: Array) -> tuple[Any, Array]:
    """Return the library of logits, and the logits less the largest of their row."""
    xp = backend_of(x, who).xp
    if not x.shape or not x.shape[-1]:
        raise ValueError(f"{who}: expected x of shape (..., classes), got {describe(x)}")
    return xp, x - xp.amax(x, axis=-1, keepdims=True)
