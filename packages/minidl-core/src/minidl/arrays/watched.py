"""The type of the classes whose changes are noticed."""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    _Base = ABCMeta
else:
    _Base = type(Protocol)  # itself an ABCMeta: so that a layer may be of a protocol, too


class Watched(_Base):
    """The type of layers, losses and optimizers: it notices when an attribute of such a class is set or deleted.

    A compiled engine computes in the place of their methods. As long as `changes` is the same object, nobody has
    replaced one, and there is nothing to compare. What `type.__setattr__` does behind its back is not noticed.

    Examples
    --------
    >>> class Layer(metaclass=Watched): ...
    >>> before = Watched.changes
    >>> Layer.forward = abs
    >>> Watched.changes is before
    False
    """

    changes: object = object()
    __instancecheck__ = ABCMeta.__instancecheck__  # that of protocols takes longer, and these classes are none

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        Watched.changes = object()  # afterwards: whoever sees the new one sees the change

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        Watched.changes = object()
