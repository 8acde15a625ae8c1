"""A network as data: frozen records that printing, summaries, state dicts, replicates and engines read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True)
class ParamSpec:
    """Where a parameter lies in the vector of the network.

    Attributes
    ----------
    name : str
        ``"weight"`` or ``"bias"``, for example.
    shape : tuple of int
        Without replicate axes.
    start : int
        Its first element in the vector.
    """

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def stop(self) -> int:
        """Where the next one begins: the element of the vector behind its last."""
        return self.start + self.size


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a network.

    Attributes
    ----------
    kind : str
        The name of its class.
    path : str
        Where it stands in the tree, as in the keys of ``state_dict``: ``"2"``, in a nested network ``"1.0"``.
    in_features, out_features : int or None
        Its widths; None for a layer that takes any.
    options : tuple of (str, value)
        Whatever else sets its behaviour, such as ``("alpha", 0.01)``.
    params : tuple of ParamSpec
        Its own parameters.
    children : tuple of LayerSpec
        The layers inside a module that is more than their chain; a ``Sequential`` lists its layers one by one instead.
    frozen : bool
        Whether its own parameters are not trained.
    origin : str
        The package that its class comes from; a ``Tanh`` of your own is another one than minidl's.
    """

    kind: str
    path: str = ""
    in_features: int | None = None
    out_features: int | None = None
    options: tuple[tuple[str, Any], ...] = ()
    params: tuple[ParamSpec, ...] = ()
    children: tuple[LayerSpec, ...] = ()
    origin: str = "minidl"
    frozen: bool = False

    @property
    def size(self) -> int:
        """Number of parameters, those of its children included."""
        return sum(p.size for p in self.params) + sum(child.size for child in self.children)

    def walk(self) -> Iterator[LayerSpec]:
        """Iterate over this record and those inside, in the order of `Module.modules`."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __str__(self) -> str:
        words = [] if self.in_features is None else [f"{self.in_features} -> {self.out_features}"]
        words += [f"{name}={_words(value)}" for name, value in self.options]
        words += ["frozen"] * self.frozen
        return f"{self.kind}({', '.join(words)})" if words else self.kind


def _words(value: Any) -> str:
    """Return a setting as text; where it differs between many replicates, from where to where."""
    many = isinstance(value, tuple) and len(value) > 3
    return f"{min(value)} to {max(value)}" if many else str(value)
