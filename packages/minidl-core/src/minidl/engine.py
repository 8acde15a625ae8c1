"""The seam to minidl-native, a compiled engine that runs small networks many times faster, with the same numbers.

It is optional, like torch: looked for when a network is first trained or asked, never at import. What it cannot run, or
would not run faster, runs on the code that one can read. The engine is given data alone: the records of
``model.spec()`` and flat vectors.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal, TypeAlias

import numpy as np

from minidl.backend import NUMPY, Array, dtype_name
from minidl.checks import as_count
from minidl.module import Module

Engine: TypeAlias = Literal["auto", "numpy", "native"]


@dataclass(frozen=True)
class Program:
    """A network as the native engine runs it.

    Attributes
    ----------
    settings, rates : list of (Module, str, value)
        What it was made of beside the parameters; when one of them has changed, it must be made anew. The layers' own
        learning rates are kept apart: only a training needs them.
    network : minidl_native.Network or None
    why_not : str
        Why there is none; empty if there is one.
    """

    network: Any
    why_not: str
    settings: Sequence[tuple[Module, str, Any]] = ()
    rates: Sequence[tuple[Module, str, Any]] = ()

    def is_current(self, *, training: bool) -> bool:
        """Whether no setting has changed since."""
        watched = [*self.settings, *self.rates] if training else self.settings
        return not watched or all(_frozen(getattr(module, name)) == value for module, name, value in watched)


def choose(model: Module, engine: Engine, who: str, *, training: bool = False) -> Program:
    """Return the program to run a model with; without a network, it is to be run on NumPy.

    Parameters
    ----------
    model : Module
    engine : {"auto", "numpy", "native"}
    who : str
        Who asks, for the error.
    training : bool
        Whether the layers' own learning rates matter.

    Raises
    ------
    ValueError
        If the native engine is asked for and cannot run this network; for another name.
    """
    if engine not in ("auto", "native"):
        if engine == "numpy":
            return _NUMPY
        raise ValueError(f"{who}: expected engine 'auto', 'numpy' or 'native', got {engine!r}")
    program = _program_of(model)
    if not program.is_current(training=training):
        program = _compile(model)
    model._program = program
    if engine == "native" and program.network is None:
        raise unsupported(who, program.why_not)
    if engine == "auto" and program.network is not None and not program.network.worthwhile:
        return Program(None, f"NumPy is faster for a layer of {program.network.largest:,} weights")
    return program


def compiled(model: Module) -> Any:
    """Return the network as the engine has it, also where it is not to run it; None if it cannot."""
    return _program_of(model).network


def unsupported(who: str, why: str) -> ValueError:
    """Return the error for an engine that was asked for by name and cannot do it."""
    return ValueError(f"{who}: expected something that the native engine can run, got {why}; engine='auto' falls back")


def check(model: Module, *, loss: str, optimizer: str) -> str:
    """Return why the engine cannot train a network that it knows with a loss and an optimizer; empty if it can."""
    native, _ = _load()
    try:
        native.check(model.spec(), dtype=dtype_name(model.dtype), lead=model.lead, loss=loss, optimizer=optimizer)
    except native.UnsupportedError as error:
        return str(error)
    return ""


def words(program: Program) -> str:
    """Return what ran, and if it was not the native engine, why: ``numpy (minidl-native is not installed)``."""
    if program.network is not None:
        return "native"
    return f"numpy ({program.why_not})" if program.why_not else "numpy"


def takes(program: Program, model: Module, x: Array) -> bool:
    """Whether the engine can compute the output of a model for this x; what is wrong with another, `infer` says."""
    if program.network is None or type(x) is not np.ndarray or x.dtype != model.dtype:
        return False
    shared = x.ndim == 2 or (x.ndim == 3 and x.shape[:-2] == model.lead)
    return shared and bool(x.flags.c_contiguous) and bool(x.shape[-1] == model.in_features)


def thread_count(who: str, threads: int | None) -> int:
    """Return the number of threads to use: those asked for, or one for each processor that this process may use."""
    if threads is not None:
        return as_count(who, "threads", threads)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_NUMPY = Program(None, "")


@cache
def _load() -> tuple[Any, str]:
    """Return minidl_native, or None and why."""
    try:
        return import_module("minidl_native"), ""
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "minidl_native"
        return None, "minidl-native is not installed" if missing else f"minidl-native does not load: {error}"


def _program_of(model: Module) -> Program:
    """Return what was made of a model before, or else make it."""
    return model._program or _compile(model)


def _compile(model: Module) -> Program:
    modules = list(model._tree())
    watched = [(module, name, _frozen(getattr(module, name))) for module in modules for name in module.settings]
    settings, rates = ([one for one in watched if (one[1] == "lr") is of_rates] for of_rates in (False, True))
    network, why_not = _network(model, [module._rngs for module in modules if module._rngs])
    return Program(network, why_not, settings, rates)


def _network(model: Module, generators: list[list[np.random.Generator]]) -> tuple[Any, str]:
    """Return the model as the engine runs it, or None and why it cannot."""
    native, why_not = _load()
    if native is None:
        return None, why_not
    if model.backend is not NUMPY:
        return None, f"it works on NumPy arrays, not on {model.backend.name}"
    if not model.values.flags.c_contiguous:
        return None, "the network is a part of larger replicates"
    try:
        dtype = dtype_name(model.dtype)
        return native.Network(model.spec(), dtype=dtype, lead=model.lead, generators=generators), ""
    except native.UnsupportedError as error:
        return None, str(error)


def _frozen(value: Any) -> Any:
    """Return a copy of a setting that compares as one value: a number, or a tuple with one for each replicate."""
    return tuple(value.tolist()) if hasattr(value, "tolist") else value
