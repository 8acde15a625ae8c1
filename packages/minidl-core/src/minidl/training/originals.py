"""Whether the methods of a known kind are still minidl's own, so that an engine may compute in their place."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.arrays.watched import Watched
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer

_ORIGINALS: dict[type, dict[str, object]] = {}


def remember_originals() -> None:
    """Note the methods of all layers, losses and optimizers; called once, when all are imported."""
    for base in (Module, Loss, Optimizer):
        for kind in (*_subclasses(base), *base.__mro__):
            if kind.__module__.partition(".")[0] == "minidl":  # a second call finds what may have been replaced
                _ORIGINALS.setdefault(kind, _methods(kind))


def is_known(kind: type) -> bool:
    """Whether a class is one of minidl's own layers, losses or optimizers."""
    return kind in _ORIGINALS


def replaced_in(kind: type) -> str:
    """Return the name of a method of a class or its bases that is not the original; empty if there is none."""
    if kind not in _ORIGINALS and kind.__module__.partition(".")[0] == "minidl":
        return kind.__name__  # a class that was made anew, by a reload of its module
    for base in kind.__mro__:
        original, now = _ORIGINALS.get(base), vars(base)
        if original is None:
            continue
        changed = [name for name, method in original.items() if now.get(name) is not method]
        added = [name for name in now.keys() - original.keys() if _is_method(now[name])]
        if changed or added:
            return f"{base.__name__}.{[*changed, *added][0]}"
    return ""


def replaced_method(thing: object) -> str:
    """Return the name of a method of an object, or of its class, that is not the original; empty if there is none."""
    names = method_names([type(thing)])
    own = next((name for name in vars(thing) if name in names), "")
    return replaced_in(type(thing)) or (own and f"{type(thing).__name__}.{own}")


class Methods:
    """The methods of some classes as they were once, for a fast comparison.

    Parameters
    ----------
    kinds : sequence of type
    things : sequence of object
        Objects of these classes, which must neither change their class nor get another number of attributes.
    """

    def __init__(self, kinds: Sequence[type], things: Sequence[object] = ()) -> None:
        self._changes = Watched.changes
        classes = dict.fromkeys(base for kind in kinds for base in kind.__mro__ if base in _ORIGINALS)
        self._classes, self._then = [vars(kind) for kind in classes], [dict(vars(kind)) for kind in classes]
        self._things, self._types = things, list(map(type, things))
        self._attributes = [vars(thing) for thing in things]
        self._counts = list(map(len, self._attributes))

    def unchanged(self) -> bool:
        """Return whether all classes and methods, and the number of attributes of each object, are unchanged."""
        changes = Watched.changes
        if changes is not self._changes:
            if self._classes != self._then:
                return False
            self._changes = changes  # it was another class
        # The comparisons run in C, and take little time beside the prediction of one sample.
        same_counts = list(map(len, self._attributes)) == self._counts
        return same_counts and list(map(type, self._things)) == self._types


class Plain:
    """Some kinds as they were once, to tell fast whether objects are of these kinds and have their methods still.

    Parameters
    ----------
    kinds : tuple of type
        Whose methods are the original ones.
    """

    def __init__(self, kinds: tuple[type, ...]) -> None:
        self._kinds, self._methods, self._names = kinds, Methods(kinds), method_names(kinds)

    def describes(self, *things: object) -> bool:
        """Whether these objects, one of each kind, have the methods of the kinds, and these are unchanged."""
        plain = tuple(map(type, things)) == self._kinds and all(self._names.isdisjoint(vars(thing)) for thing in things)
        return plain and self._methods.unchanged()


def method_names(kinds: Sequence[type]) -> frozenset[str]:
    """Return the names of all methods of some classes."""
    return frozenset(name for kind in kinds for base in kind.__mro__ for name in _ORIGINALS.get(base, ()))


def _subclasses(base: type) -> list[type]:
    children: list[type] = base.__subclasses__()
    return [base, *(kind for child in children for kind in _subclasses(child))]


def _methods(kind: type) -> dict[str, object]:
    return {name: value for name, value in vars(kind).items() if _is_method(value)}


def _is_method(value: object) -> bool:
    return callable(value) or hasattr(value, "__get__")
