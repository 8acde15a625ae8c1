"""Whether the methods of a known kind are still minidl's own, so that an engine may compute in their place."""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType

from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer

_ORIGINALS: dict[type, dict[str, object]] = {}


def remember_originals() -> None:
    """Note the methods of all layers, losses and optimizers; called once, when all are imported."""
    for base in (Module, Loss, Optimizer):
        for kind in (*_subclasses(base), *(parent for parent in base.__mro__ if parent.__module__ != "abc")):
            _ORIGINALS[kind] = _methods(kind)


def is_known(kind: type) -> bool:
    """Whether a class is one of minidl's own layers, losses or optimizers."""
    return kind in _ORIGINALS


def replaced_method(thing: object) -> str:
    """Return the name of a method of an object, or of its class, that is not the original; empty if there is none.

    The method may have been replaced in the class, in one of its bases, or in the object alone.
    """
    kinds = [kind for kind in type(thing).__mro__ if kind in _ORIGINALS]
    if type(thing) not in kinds and type(thing).__module__.partition(".")[0] == "minidl":
        return type(thing).__name__  # a class that was made anew, by a reload of its module
    for kind in kinds:
        if kind.__dict__.items() >= _ORIGINALS[kind].items() and _methods(kind).keys() == _ORIGINALS[kind].keys():
            continue
        now, original = _methods(kind), _ORIGINALS[kind]
        name = next(name for name in {**original, **now} if now.get(name) is not original.get(name))
        return f"{kind.__name__}.{name}"
    for kind in kinds:
        for name in vars(thing):
            if name in _ORIGINALS[kind]:
                return f"{type(thing).__name__}.{name}"
    return ""


class Methods:
    """The methods of some objects as they were once, for a fast comparison.

    Parameters
    ----------
    things : sequence of object
        Of known kinds.
    """

    def __init__(self, things: Sequence[object]) -> None:
        kinds = {kind: None for thing in things for kind in type(thing).__mro__ if kind in _ORIGINALS}
        self._classes, self._then = [vars(kind) for kind in kinds], [dict(vars(kind)) for kind in kinds]
        self._attributes = [vars(thing) for thing in things]
        self._counts = list(map(len, self._attributes))

    def unchanged(self) -> bool:
        """Whether no class has another method, and no object another number of attributes, than before."""
        # The comparisons run in C, and take little time beside the prediction of one sample.
        return self._classes == self._then and list(map(len, self._attributes)) == self._counts


def _subclasses(base: type) -> list[type]:
    children: list[type] = base.__subclasses__()
    return [base, *(kind for child in children for kind in _subclasses(child))]


def _methods(kind: type) -> dict[str, object]:
    kinds = (FunctionType, property, classmethod, staticmethod)
    return {name: value for name, value in vars(kind).items() if isinstance(value, kinds)}
