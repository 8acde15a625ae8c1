"""A module as data: records that describe a network, and modules built from records."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from minidl.parameters.freezing import Freezing
from minidl.parameters.spec import LayerSpec, ParamSpec


class Described(Freezing):
    """A module that describes itself; see `Module` for the constructor's arguments.

    Attributes
    ----------
    in_features, out_features : int or None
        Widths of input and output; None for a module that takes any.
    settings : tuple of str
        The attributes that are numbers. Replicates may differ in such a setting, which is then an array of shape
        replicate_shape.
    words : mapping from str to tuple of str
        The attributes that are words, such as GELU's ``approximate``, each with the words that it may be. Replicates
        share them.
    """

    in_features: int | None = None
    out_features: int | None = None
    settings: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def spec(self) -> tuple[LayerSpec, ...]:
        """Describe the network as data: its layers in order, with where their parameters lie in the vector."""
        return tuple(self.records("", self._start))

    def record(self, path: str = "", origin: int | None = None) -> LayerSpec:
        """Describe the network as one record with its children inside, `Sequential` included; `save` writes it.

        Parameters
        ----------
        path : str
            The names of the modules above, each with a dot behind it.
        origin : int, optional
            The start of the described network in the buffer; by default that of this module.
        """
        start = self._start if origin is None else origin
        return self._described(path, start, [c.record(f"{path}{name}.", start) for name, c in self._children.items()])

    def records(self, path: str, origin: int) -> Iterator[LayerSpec]:
        """Iterate over the records of this module: one, with those of its children inside.

        Parameters
        ----------
        path : str
            The names of the modules above, each with a dot behind it.
        origin : int
            The start of the described network in the buffer.
        """
        inside = [record for name, c in self._children.items() for record in c.records(f"{path}{name}.", origin)]
        yield self._described(path, origin, inside)

    def options(self) -> dict[str, Any]:
        """Return the settings beside the widths, for `spec`; a setting that is None is left out."""
        names = (*self.settings, *self.words)
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @classmethod
    def from_record(cls, record: LayerSpec, children: Mapping[str, Any], **more: Any) -> Self:
        """Build a module as a record describes it, whatever its parameters are; part of `load`.

        The constructor gets those of its arguments that have the name of a width (`in_features`, `out_features`, or
        `features` for both), of an option, of a child, or of something in `more`. A module whose constructor takes
        others overrides this method.

        Parameters
        ----------
        record : LayerSpec
            Of a single network: settings that differ between replicates are those of the first.
        children : mapping of str to Module
            The modules inside, which are built already.
        **more
            `dtype`, `backend` and `rng`.
        """
        widths = dict.fromkeys(("in_features", "features"), record.in_features)
        given = {**dict(record.options), **children, **more, **widths, "out_features": record.out_features}
        taken = inspect.signature(cls).parameters
        return cls(**{name: value for name, value in given.items() if name in taken and value is not None})

    def _described(self, path: str, origin: int, inside: list[LayerSpec]) -> LayerSpec:
        return LayerSpec(
            kind=type(self).__name__,
            path=path.removesuffix("."),
            in_features=self.in_features,
            out_features=self.out_features,
            options=tuple((name, _plain(value)) for name, value in self.options().items()),
            params=tuple(ParamSpec(n, s, self._offsets[n] - origin) for n, s in self._shapes.items()),
            children=tuple(inside),
            origin=type(self).__module__.partition(".")[0],
            frozen=self._frozen and bool(self._params),
        )

    def __str__(self) -> str:
        return str(self.spec()[0])

    __repr__ = __str__


def _plain(value: Any) -> Any:
    """Return an array of numbers as a tuple, which a record can hold and compare."""
    return tuple(value.tolist()) if isinstance(value, np.ndarray) else value
