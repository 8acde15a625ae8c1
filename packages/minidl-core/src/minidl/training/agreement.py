"""Compares each kind in Python with the compiled engine, once in a process.

A learner may edit a formula in minidl's source, and minidl-native may be of another version than minidl-core. So each
kind is compared when it is first used: tiny networks make two steps on NumPy and in the engine, for several settings.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl.arrays.samples import Samples
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
from minidl.training.originals import replaced_in

STEPS, SETTING, REDUCTIONS = 2, 0.3, ("sum", "mean", "batchmean")
TOLERANCE = 1e-9  # after two steps rounding leaves some 1e-15 in float64, another formula far more
X = np.linspace(-1.2, 1.5, 12).reshape(4, 3)
Y = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
PLAIN = (Sequential, Linear, MSELoss, SGD)  # of which every network of a comparison is built
_AGREE: dict[type, bool] = {}


def disagreement(kinds: Iterable[type]) -> str:
    """Return the first kind whose results differ from the engine's, as a reason; empty if all agree.

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
    """Whether a kind computes the same in tiny networks of plain parts; None if one of these parts was replaced."""
    if any(map(replaced_in, (kind, Sigmoid, *PLAIN))):
        return None
    cases: list[tuple[Any, ...]]
    if issubclass(kind, Loss):
        losses = [kind(reduction, **settings) for reduction in REDUCTIONS for settings in _settings_of(kind)]
        targets = [Y, Y.argmax(axis=1)] if kind.takes_classes else [Y[:, : losses[0].target_shape(Y.shape)[-1]]]
        cases = [(SGD, {}, loss, {}, y) for loss in losses for y in targets]
    elif issubclass(kind, Optimizer):
        cases = [(kind, settings, MSELoss(), {}, Y) for settings in _settings_of(kind)]
    else:
        cases = [(SGD, {}, MSELoss(), settings, Y) for settings in _settings_of(kind)]
    agree = [_alike(kind, *case) for case in cases]
    return None if None in agree else all(agree)


def _settings_of(kind: type) -> list[dict[str, Any]]:
    """Return settings to compare a kind with: its own, all numbers changed, all flags turned as well, and each word."""
    accepted = inspect.signature(kind).parameters
    names = [name for name in getattr(kind, "settings", ()) if name in accepted and name != "lr"]
    numbers = {name: SETTING for name in names if not isinstance(accepted[name].default, bool)}
    flags = {name: not accepted[name].default for name in names if name not in numbers}
    words = [{name: word} for name, own in getattr(kind, "words", {}).items() for word in own]
    return [{}] + [numbers] * bool(numbers) + [numbers | flags] * bool(flags) + words


def _alike(
    kind: type, optimizer: type, settings: dict[str, Any], loss: Loss, layer_settings: dict[str, Any], y: np.ndarray
) -> bool | None:
    """Whether a training comes out the same on NumPy and in the engine; None if it cannot be compared."""
    trained = []
    for native in (False, True):
        model = _network(kind, layer_settings, ends_with_sigmoid=not isinstance(loss, MSELoss))
        cost, descent = copy.copy(loss), optimizer(model, 0.1, **settings)
        made = Compiled(model)
        if made.network is None:
            return None
        engine: Engine = NativeEngine("minidl", model, made) if native else NumpyEngine("minidl", model)
        losses = [engine.train_step(cost, descent, Samples("minidl", X, y, ())) for _ in range(STEPS)]
        trained.append(np.array([*losses, *model.values]))
    return bool(np.allclose(trained[0], trained[1], rtol=TOLERANCE, atol=TOLERANCE))


def _network(kind: type, settings: dict[str, Any], *, ends_with_sigmoid: bool) -> Sequential:
    """Return a network with a layer of a kind between two Linear, if the kind is a layer beside these."""
    rng = np.random.default_rng(0)
    first, second = (Linear(*widths, std_b=0.1, dtype="float64", rng=rng) for widths in ((3, 4), (4, 2)))
    between: list[Module] = []
    if issubclass(kind, Module) and kind not in PLAIN:
        given: dict[str, Any] = {"rng": rng, "features": 4, "dtype": "float64"}
        accepted = inspect.signature(kind).parameters
        between = [kind(**settings, **{name: value for name, value in given.items() if name in accepted})]
    return Sequential([first, *between, second, *([Sigmoid()] if ends_with_sigmoid else [])])
