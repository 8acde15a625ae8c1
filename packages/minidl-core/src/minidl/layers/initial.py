"""Rules for the initial weights of a layer: each draws an array of shape (out, in) from a generator.

A rule chooses the spread of the weights, so that a signal neither fades nor grows on its way through the layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Rule: TypeAlias = "Callable[[np.random.Generator, tuple[int, int]], Any]"
"""``rule(rng, (out, in))`` returns an array of this shape. A string: NumPy loads ``random`` at its first use."""


def he(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw normal weights of variance 2 / in, which keep the size of a signal through ReLUs (He and others, 2015)."""
    return math.sqrt(2 / shape[1]) * rng.standard_normal(shape)


def lecun(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw normal weights of variance 1 / in: that of an output is the mean square of the inputs (LeCun, 1998)."""
    return math.sqrt(1 / shape[1]) * rng.standard_normal(shape)


def glorot(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw uniform weights of variance 2 / (in + out), a compromise of both directions (Glorot and Bengio, 2010)."""
    return _uniform(rng, math.sqrt(6 / sum(shape)), shape)


def uniform(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw uniform weights within ±1 / sqrt(in), of variance 1 / (3 in), as ``torch.nn.Linear`` does."""
    return _uniform(rng, math.sqrt(1 / shape[1]), shape)


RULES: dict[str, Rule] = {"he": he, "glorot": glorot, "lecun": lecun, "torch": uniform}


def rule_of(who: str, init: str | Rule) -> Rule:
    """Return the rule of a name, or a callable itself.

    Raises
    ------
    ValueError, TypeError
        For another name; for something that is neither a name nor a callable.
    """
    if callable(init):
        return init
    expected = f"{who}: expected init to be {', '.join(map(repr, RULES))} or a callable, got {init!r}"
    if not isinstance(init, str):
        raise TypeError(expected)
    if init not in RULES:
        raise ValueError(expected)
    return RULES[init]


def draw(who: str, rule: Rule, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return the weights that a rule draws.

    Raises
    ------
    ValueError, TypeError
        If a callable returns another shape, or something else than real numbers.
    """
    weights = np.asarray(rule(rng, shape))
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"{who}: expected init to return real numbers, got {weights.dtype}")
    if weights.shape != shape:
        raise ValueError(f"{who}: expected init to return weights of shape {shape}, got {weights.shape}")
    return weights


def draw_biases(rng: np.random.Generator, count: int, n_in: int, init: object) -> np.ndarray:
    """Return the initial biases of a layer: zeros, and for ``"torch"`` uniform numbers within ±1 / sqrt(n_in)."""
    return _uniform(rng, math.sqrt(1 / n_in), (count,)) if init == "torch" else np.zeros(count)


def _uniform(rng: np.random.Generator, bound: float, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-bound, bound, shape)
