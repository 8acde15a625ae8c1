"""Whether a kind computes in Python what the compiled engine computes in its place.

A learner may edit a formula in minidl's source, and minidl-native may be of another version than minidl-core. So each
kind is compared once in a process, when it is first used: a tiny network makes a few steps on NumPy and in the engine.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minidl.layers.activations import Sigmoid
from minidl.layers.linear import Linear
from minidl.layers.module import Module
from minidl.layers.sequential import Sequential
from minidl.losses.loss import Loss
from minidl.losses.mse import MSELoss
from minidl.optim.optimizer import Optimizer
from minidl.optim.sgd import SGD
from minidl.training.compiled import Compiled
from minidl.training.engine import Engine
from minidl.training.native_engine import NativeEngine
from minidl.training.numpy_engine import NumpyEngine
from minidl.training.originals import replaced_method

STEPS = 3
TOLERANCE = 1e-9  # after three steps rounding leaves some 1e-15 in float64, another formula far more
X = np.linspace(-1.2, 1.5, 12).reshape(4, 3)
Y = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
PLAIN = (Sequential, Linear, MSELoss, SGD)  # of which every network of a comparison is built
_AGREE: dict[type, bool] = {}


def disagreement(kinds: Iterable[type]) -> str:
    """Return why the engine may not stand in for some kinds; empty if it may.

    Parameters
    ----------
    kinds : iterable of type
        Layers, losses and optimizers that the engine has, with their original methods.
    """
    for kind in kinds:
        if kind not in _AGREE:
            agrees = _compare(kind)
            if agrees is None:
                continue
            _AGREE[kind] = agrees
        if not _AGREE[kind]:
            name = " or ".join(part.__name__ for part in PLAIN) if kind in PLAIN else kind.__name__
            return f"{name} computes something else than the engine"
    return ""


def _compare(kind: type) -> bool | None:
    """Whether a kind computes the same in a tiny network of plain parts; None if one of these parts was replaced."""
    loss = kind if issubclass(kind, Loss) else MSELoss
    optimizer: Any = kind if issubclass(kind, Optimizer) else SGD
    between = [kind] if issubclass(kind, Module) and kind not in PLAIN else []
    last = [] if loss is MSELoss else [Sigmoid]  # whose outputs suit every loss
    trained = []
    for native in (False, True):
        model = _network(between, last)
        cost, descent = loss(), optimizer(model, 0.1)
        if any(map(replaced_method, [*model.modules(), cost, descent])):
            return None
        made = Compiled(model)
        if made.network is None:
            return None
        engine: Engine = NativeEngine("minidl", model, made) if native else NumpyEngine("minidl", model)
        losses = [engine.train_step(cost, descent, X, Y) for _ in range(STEPS)]
        trained.append(np.array([*losses, *model.values]))
    return bool(np.allclose(trained[0], trained[1], rtol=TOLERANCE, atol=TOLERANCE))


def _network(between: Sequence[type[Module]], last: Sequence[type[Module]]) -> Sequential:
    rng = np.random.default_rng(0)
    first, second = (Linear(*widths, std_b=0.1, dtype="float64", rng=rng) for widths in ((3, 4), (4, 2)))
    options: dict[str, Any] = {"rng": rng}
    inner = [kind(**options) if "rng" in inspect.signature(kind).parameters else kind() for kind in between]
    return Sequential([first, *inner, second, *(kind() for kind in last)])
