"""The layout of a tree of modules in one buffer: ownership, views, moves and copies."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, Self

import numpy as np

from minidl.arrays.backend import Array, Backend, dtype_name, get_backend
from minidl.arrays.watched import Watched
from minidl.parameters.buffer import Param, ParamBuffer

# Attributes that point into a buffer or belong to one place in a tree. A copy makes them anew.
_BOUND = frozenset(
    {"_buffer", "_start", "_params", "_offsets", "_starts", "_values", "_grads"}
    | {"_owner", "_saved", "_cached", "compiled"},
)


class Layout(metaclass=Watched):
    """A module as the owner of a slice of a buffer; see `Module` for the constructor's arguments.

    Attributes
    ----------
    compiled : object or None
        What an engine compiled from this module. It is dropped whenever the parameters move.
    """

    def __init__(
        self,
        params: Mapping[str, np.ndarray] | None = None,
        children: Mapping[str, Self] | None = None,
        *,
        dtype: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        own = {name: np.asarray(value) for name, value in (params or {}).items()}
        self._children = dict(children or {})
        self._shapes = {name: value.shape for name, value in own.items()}
        self._owner: weakref.ref[Layout] | None = None
        self._saved: tuple[Any, ...] | None = None
        self._frozen = False  # whether its own parameters are
        self._cached: frozenset[str] = frozenset()  # the attributes that `cache_views` sets
        self._refuse_shared_children()
        self._refuse_kept_views(*(child._buffer for child in self._children.values()))
        home = self._home_of_children()
        if home is None:
            home = ParamBuffer(
                0, backend=get_backend(backend, type(self).__name__), dtype="float32" if dtype is None else dtype
            )
        self._settle(home, {name: (value, np.zeros_like(value)) for name, value in own.items()})

    def cache_views(self) -> None:
        """Cache parameter views as attributes; called at every rebind.

        Only here may a module keep views as attributes. Any other kept view would go stale when the parameters move
        into a network or a copy, so a move refuses a module that has one.
        """

    def modules(self) -> Iterator[Self]:
        """Iterate over this module and all modules below it, depth first."""
        yield self
        for child in self._children.values():
            yield from child.modules()

    def move_to(self, replicate_shape: tuple[int, ...], values: Array, grads: Array) -> None:
        """Move the parameters into a new buffer with other replicate axes.

        Parameters
        ----------
        replicate_shape : tuple of int
        values, grads : array, shape (*replicate_shape, size)
            The contents of the new buffer.
        """
        old = self._buffer
        size = values.shape[-1]
        self._bind(ParamBuffer(size, backend=old.backend, dtype=old.dtype, replicate_shape=replicate_shape), 0)
        self._values[...] = values
        self._grads[...] = grads

    def place(self, name: str) -> str:
        """Return words for a child in an error message."""
        return f"{name}: {self._children[name]}"

    # ---- the layout

    def _settle(self, home: ParamBuffer, own: Mapping[str, tuple[Array, Array]]) -> None:
        """Lay out one buffer, like `home`, for this module and its children, and copy their parameters in."""
        inherited = [(child, child._values, child._grads) for child in self._children.values()]
        size = sum(map(prod, self._shapes.values())) + sum(values.shape[-1] for _, values, _ in inherited)
        replicate_shape = home.replicate_shape
        self._bind(ParamBuffer(size, backend=home.backend, dtype=home.dtype, replicate_shape=replicate_shape), 0)
        for name, (value, grad) in own.items():
            self._params[name].value[...] = home.backend.asarray(value, home.dtype)
            self._params[name].grad[...] = home.backend.asarray(grad, home.dtype)
        for child, values, grads in inherited:
            if values.shape[-1]:  # a module without parameters may come from any library
                child._values[...] = values
                child._grads[...] = grads
            child._owner = weakref.ref(self)

    def _bind(self, buffer: ParamBuffer, start: int) -> int:
        """Make the views of this module and those below it, from `start` on; return their end."""
        for name in self._cached:
            self.__dict__.pop(name, None)
        self._buffer, self._start = buffer, start
        self.compiled: Any = None
        self._params: dict[str, Param] = {}
        self._offsets: dict[str, int] = {}
        stop = start
        for name, shape in self._shapes.items():
            self._params[name], self._offsets[name] = buffer.view(stop, shape), stop
            stop += prod(shape)
        if self._frozen:
            buffer.frozen.update(self._offsets.values())
        self._starts = list(self._offsets.values())
        for child in self._children.values():
            stop = child._bind(buffer, stop)
            self._starts += child._starts
        self._values, self._grads = buffer.view(start, (stop - start,))
        before = dict(vars(self))
        self.cache_views()
        self._cached = frozenset(n for n, value in vars(self).items() if n not in before or before[n] is not value)
        return stop

    # ---- what is refused

    def _refuse_shared_children(self) -> None:
        places: dict[int, str] = {}
        for name, child in self._children.items():
            if child._owner is not None and child._owner() is not None:
                raise ValueError(
                    f"{type(self).__name__}: {self.place(name)} is already part of another module: "
                    "build a new one, or take copy.deepcopy of it",
                )
            for module in child.modules():
                if id(module) in places:
                    raise ValueError(
                        f"{type(self).__name__}: {self.place(name)} is the same module as {places[id(module)]}: "
                        "each place needs a module of its own",
                    )
                places[id(module)] = self.place(name)
                module._refuse_kept_views(module._buffer)

    def _refuse_kept_views(self, *buffers: ParamBuffer) -> None:
        """Raise if an attribute is a view into a buffer whose contents are about to move."""
        for name, value in vars(self).items():
            if name in _BOUND or name in self._cached:
                continue
            if any(_is_view(array, buffer) for array in _arrays_in(value) for buffer in buffers):
                raise ValueError(
                    f"{type(self).__name__}: its attribute {name!r} is a view of parameters, which goes stale when "
                    "they move into a network or a copy: fetch the parameter with self.param(name), or keep the view "
                    "in cache_views",
                )

    def _home_of_children(self) -> ParamBuffer | None:
        """Return the buffer of the first child that has parameters or replicates; raise if another one differs."""
        homes = {
            name: child._buffer
            for name, child in self._children.items()
            if child._values.shape[-1] or child._buffer.replicate_shape
        }
        for name, other in homes.items():
            first, home = next(iter(homes.items()))
            alike = (other.backend, other.dtype, other.replicate_shape)
            if alike != (home.backend, home.dtype, home.replicate_shape):
                raise ValueError(
                    f"{type(self).__name__}: expected layers of one backend, dtype and replicate shape; "
                    f"{self.place(first)} has {home.kind}, {self.place(name)} has {other.kind}",
                )
        return next(iter(homes.values()), None)

    # ---- copies

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the views, which copying would break silently, and the arrays behind them."""
        self._refuse_kept_views(self._buffer)
        state = {name: value for name, value in vars(self).items() if name not in _BOUND and name not in self._cached}
        home, to_numpy = self._buffer, self._buffer.backend.to_numpy
        own = {name: (to_numpy(p.value).copy(), to_numpy(p.grad).copy()) for name, p in self._params.items()}
        return {**state, "own": own, "home": (home.backend, dtype_name(home.dtype), home.replicate_shape)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        own, (backend, dtype, replicate_shape) = state.pop("own"), state.pop("home")
        self.__dict__.update(state)
        self._owner = self._saved = None
        self._cached = frozenset()
        self._settle(ParamBuffer(0, backend=backend, dtype=dtype, replicate_shape=replicate_shape), own)

    def __copy__(self) -> Self:
        raise TypeError(f"{self}: a shallow copy would share its parameters with the original: use copy.deepcopy")


def _arrays_in(value: Any) -> Iterator[Array]:
    """Iterate over the arrays in an attribute, also inside lists, tuples and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _arrays_in(item)
    elif isinstance(value, np.ndarray) or hasattr(value, "untyped_storage"):
        yield value


def _is_view(array: Array, buffer: ParamBuffer) -> bool:
    """Whether an array shares the memory of a buffer's vectors."""
    if isinstance(array, np.ndarray) != isinstance(buffer.values, np.ndarray):
        return False
    if isinstance(array, np.ndarray):
        return any(np.may_share_memory(array, own) for own in (buffer.values, buffer.grads))
    return _storage(array) is not None and _storage(array) in {_storage(buffer.values), _storage(buffer.grads)}


def _storage(tensor: Any) -> int | None:
    """Return the address of the memory that a tensor is a view of; None for one without elements or strides."""
    if str(tensor.layout) != "torch.strided" or not tensor.numel():
        return None
    return int(tensor.untyped_storage().data_ptr())
