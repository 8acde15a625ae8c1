"""The compiled form of a model, valid until the model changes.

minidl-native is optional, like torch: it is imported when an engine is first chosen, never by ``import minidl``. It is
given data alone: the records of ``model.spec()``, the flat vectors, and the kinds and settings of loss and optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any

import numpy as np

from minidl.arrays.backend import NUMPY, Array, dtype_name
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.originals import Methods, Plain, is_known, replaced_method


@cache
def load_native() -> tuple[Any, str]:
    """Return the package minidl_native, or None and why it is missing."""
    try:
        return import_module("minidl_native"), ""
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "minidl_native"
        return None, "minidl-native is not installed" if missing else f"minidl-native does not load: {error}"


class Compiled:
    """The compiled network of a model, or the reason why there is none.

    Parameters
    ----------
    model : Module

    Attributes
    ----------
    native : module or None
        The package minidl_native.
    network : minidl_native.Network or None
    why_not : str
        Why there is no network; empty if there is one.
    measuring : list of Module
        The modules that have statistics, in the order of the network.
    kinds : list of type
        The classes of its modules.
    agrees : bool
        Whether these are known to compute what the engine computes; see `agreement`.
    prepared : PreparedStep or None
        The last training step, if it may be repeated.
    evaluation : PreparedEvaluation or None
        The last evaluation, if it may be repeated.
    chosen_for : str or None
        The engine's name with which `predict` or `evaluate` has last chosen this network, without a number of threads.
    """

    native: Any
    network: Any
    why_not: str

    def __init__(self, model: Module) -> None:
        modules = list(model.modules())
        self.native, self.why_not = load_native()
        self.why_not = self.why_not or _why_not(model, modules)
        self._watched = [(_settings_of(module), module) for module in modules if _has_settings(module)]
        self._settings = [_comparable(settings(module)) for settings, module in self._watched]
        self._model, self._trained = model, model.ranges()
        self._methods = Methods(list(map(type, modules)), modules)
        self.measuring = [module for module in modules if module.statistics]
        self.kinds = list(dict.fromkeys(map(type, modules)))
        self.agrees = False
        self._trained_with: Plain | None = None
        self._measured_with: Plain | None = None
        self.prepared: Any = None
        self.evaluation: Any = None
        self.chosen_for: str | None = None
        self.network = None if self.why_not else self._compile(model, modules)

    def is_current(self) -> bool:
        """Whether no setting, no generator and no method of the model has changed since, and the same is frozen."""
        if not self._methods.unchanged() or self._model.ranges() != self._trained:
            return False
        try:
            return [settings(module) for settings, module in self._watched] == self._settings
        except ValueError:  # an array, of one setting per replicate, has no truth value
            return [_comparable(settings(module)) for settings, module in self._watched] == self._settings

    def takes_alone(self, x: Array) -> bool:
        """Whether a single network without running statistics takes x as it is."""
        network, model = self.network, self._model
        if type(x) is not np.ndarray or x.ndim != 2 or x.dtype != network.dtype or x.shape[1] != model.in_features:
            return False
        return is_plain(x) and not (self.measuring or network.replicate_shape)

    def why_not_train(self, model: Module, loss: Loss, optimizer: Optimizer) -> str:
        """Return why the network cannot be trained with a loss and an optimizer; empty if it can."""
        if self.was_trained_with(loss, optimizer):
            return self._why_strange(loss)
        kinds = type(loss), type(optimizer)
        why_not = _why_unknown(loss) or _why_unknown(optimizer) or self._why_strange(loss)
        why_not = why_not or self._check(model, kinds[0].__name__, kinds[1].__name__)
        self._trained_with = None if why_not else Plain(kinds)
        return why_not

    def has_loss(self, kind: type[Loss]) -> bool:
        """Whether the engine has a class of losses, which is minidl's own."""
        return is_known(kind) and kind.__name__ in self.native.KINDS.losses

    def measures(self, loss: Loss) -> bool:
        """Whether a loss that the engine has keeps its original methods, and has no more settings than it takes."""
        if self._measured_with is None or not self._measured_with.describes(loss):
            self._measured_with = None if _why_unknown(loss) else Plain((type(loss),))
        return self._measured_with is not None and not self._why_strange(loss)

    def was_trained_with(self, loss: Loss, optimizer: Optimizer) -> bool:
        """Whether the network was last trained with such a loss and optimizer, which have their original methods."""
        return self._trained_with is not None and self._trained_with.describes(loss, optimizer)

    def knows(self, optimizer: Optimizer) -> bool:
        """Whether the optimizer is of a known kind, with its original methods."""
        return not _why_unknown(optimizer)

    def _why_strange(self, loss: Loss) -> str:
        """Return why the settings of a loss are more than the engine takes, as many quantiles are; empty if not."""
        known = self.native.KINDS.losses.get(type(loss).__name__, ())
        strange = [name for name in loss.numbers() if name not in known]
        return f"it does not know the {strange[0]} of {type(loss).__name__}" if known and strange else ""

    def _check(self, model: Module, loss: str, optimizer: str) -> str:
        kind = {"dtype": dtype_name(model.dtype), "replicate_shape": model.replicate_shape}
        try:
            self.native.check(model.spec(), **kind, loss=loss, optimizer=optimizer)
        except self.native.UnsupportedError as error:
            return str(error)
        return ""

    def _compile(self, model: Module, modules: list[Module]) -> Any:
        kind = {"dtype": dtype_name(model.dtype), "replicate_shape": model.replicate_shape}
        generators = [module.generators for module in modules if module.generators]
        try:
            return self.native.Network(model.spec(), **kind, generators=generators)
        except ValueError as error:  # an UnsupportedError, or what the engine says of a network out of its bounds
            self.why_not = str(error)
        return None


def compiled(model: Module) -> Compiled:
    """Return the compiled form of a model, compiled again if the model has changed."""
    if model.compiled is None or not model.compiled.is_current():
        model.compiled = Compiled(model)
    return model.compiled  # type: ignore[no-any-return]  # set two lines above, or by an earlier call


def is_plain(x: np.ndarray) -> bool:
    """Whether the engine reads an array where it is."""
    return x.flags.c_contiguous and x.flags.aligned


def _why_not(model: Module, modules: list[Module]) -> str:
    """Return the reason why a model cannot be compiled, whatever its layers are; empty if there is none."""
    if model.backend is not NUMPY:
        return f"it works on NumPy arrays, not on {model.backend.name}"
    if not model.values.flags.c_contiguous:
        return "the network is a part of larger replicates"
    replaced = next(filter(None, map(replaced_method, modules)), "")
    return f"{replaced} is not minidl's own" if replaced else ""


def _why_unknown(thing: Loss | Optimizer) -> str:
    """Return why a loss or an optimizer is not one of minidl's own; empty if it is."""
    if not is_known(type(thing)):
        return f"{type(thing).__name__} is not one that it knows"
    replaced = replaced_method(thing)
    return f"{replaced} is not minidl's own" if replaced else ""


def _has_settings(module: Module) -> bool:
    """Whether a module has a setting that matters; the learning rate of a module without parameters does not."""
    return bool(module.settings != ("lr",) or module.words or module.generators or module.values.shape[-1])


def _settings_of(module: Module) -> Callable[[Module], tuple[Any, ...]]:
    """Return the function that reads the settings and generators of a module, as a tuple."""
    return attrgetter(*module.settings, *module.words, "generators")


def _comparable(settings: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return settings as values that compare: an array, which may change in place, as a tuple of its numbers."""
    return tuple(
        tuple(value.tolist()) if isinstance(value, np.ndarray) else list(value) if isinstance(value, list) else value
        for value in settings
    )
