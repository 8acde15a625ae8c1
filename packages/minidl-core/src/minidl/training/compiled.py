"""A model as minidl-native has compiled it, kept for as long as the model stays the same.

minidl-native is optional, like torch: it is imported when an engine is first chosen, never by ``import minidl``. It is
given data alone: the records of ``model.spec()``, the flat vectors, and the kinds and settings of loss and optimizer.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from minidl.arrays.backend import NUMPY, dtype_name
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.originals import classes_of, is_known, replaced_method


@cache
def load_native() -> tuple[Any, str]:
    """Return the package minidl_native, or None and why it is missing."""
    try:
        return import_module("minidl_native"), ""
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "minidl_native"
        return None, "minidl-native is not installed" if missing else f"minidl-native does not load: {error}"


class Compiled:
    """What minidl-native made of a model.

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
    """

    def __init__(self, model: Module) -> None:
        modules = list(model.modules())
        self._settings = [(module, name) for module in modules for name in (*module.settings, "generators")]
        self._values = self._read()
        self._classes = classes_of(modules)
        self._attributes = [vars(module) for module in modules]
        self._lengths = list(map(len, self._attributes))
        self._checked: dict[tuple[str, str], str] = {}
        self.native, self.why_not = load_native()
        self.network = self._compile(model, modules)

    def is_current(self) -> bool:
        """Whether no setting, no generator and no method of the model has changed since."""
        return (
            list(map(len, self._attributes)) == self._lengths
            and all(now == before for now, before in self._classes)
            and self._read() == self._values
        )

    def why_not_train(self, model: Module, loss: Loss, optimizer: Optimizer) -> str:
        """Return why the network cannot be trained with a loss and an optimizer; empty if it can."""
        strange = _strange(loss) or _strange(optimizer)
        if strange:
            return strange
        kinds = type(loss).__name__, type(optimizer).__name__
        if kinds not in self._checked:
            self._checked[kinds] = self._check(model, *kinds)
        return self._checked[kinds]

    def knows(self, optimizer: Optimizer) -> bool:
        """Whether the optimizer is of a known kind, with its original methods."""
        return not _strange(optimizer)

    def _read(self) -> list[Any]:
        return [_frozen(getattr(module, name)) for module, name in self._settings]

    def _check(self, model: Module, loss: str, optimizer: str) -> str:
        kind = {"dtype": dtype_name(model.dtype), "replicate_shape": model.replicate_shape}
        try:
            self.native.check(model.spec(), **kind, loss=loss, optimizer=optimizer)
        except self.native.UnsupportedError as error:
            return str(error)
        return ""

    def _compile(self, model: Module, modules: list[Module]) -> Any:
        self.why_not = self.why_not or _why_not(model, modules)
        if self.why_not:
            return None
        kind = {"dtype": dtype_name(model.dtype), "replicate_shape": model.replicate_shape}
        generators = [module.generators for module in modules if module.generators]
        try:
            return self.native.Network(model.spec(), **kind, generators=generators)
        except self.native.UnsupportedError as error:
            self.why_not = str(error)
        return None


def compiled(model: Module) -> Compiled:
    """Return what minidl-native made of a model, made anew if the model has changed."""
    if model.compiled is None or not model.compiled.is_current():
        model.compiled = Compiled(model)
    return model.compiled  # type: ignore[no-any-return]  # set two lines above, or by an earlier call


def _why_not(model: Module, modules: list[Module]) -> str:
    """Return why a model is none for minidl-native, whatever its layers are; empty if it may be one."""
    if model.backend is not NUMPY:
        return f"it works on NumPy arrays, not on {model.backend.name}"
    if not model.values.flags.c_contiguous:
        return "the network is a part of larger replicates"
    replaced = next(filter(None, map(replaced_method, modules)), "")
    return f"{replaced} is not minidl's own" if replaced else ""


def _strange(thing: Loss | Optimizer) -> str:
    """Return why a loss or an optimizer is not one of minidl's own; empty if it is."""
    if not is_known(type(thing)):
        return f"{type(thing).__name__} is not one that it knows"
    replaced = replaced_method(thing)
    return f"{replaced} is not minidl's own" if replaced else ""


def _frozen(value: Any) -> Any:
    """Return a copy of a setting that compares as one value: a number, or a tuple of one per replicate."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return list(value) if isinstance(value, list) else value
