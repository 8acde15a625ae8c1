"""A tree of modules whose parameters live in one vector: layout, ownership, copies, names.

The report knows nothing of this file. Read `module.py` and the layers first.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, Self

import numpy as np

from minidl.backend import FLOATS, Array, Backend, describe, dtype_name, get_backend, library_of
from minidl.buffer import Param, ParamBuffer
from minidl.spec import LayerSpec, ParamSpec

# What points into a buffer or belongs to one place in a tree: made anew in a copy, never copied.
_BOUND = frozenset(
    {"_buffer", "_start", "_params", "_offsets", "_starts", "_values", "_grads", "_owner", "_saved", "_program"}
    | {"_weight", "_weight_t", "_bias", "_matmul"}
)


class ParamTree:
    """The part of a module that looks after its parameters; see `Module` for the constructor's arguments."""

    in_features: int | None = None
    out_features: int | None = None
    keeps_width: bool = False
    """Whether the output is known to be as wide as the input, whatever that is."""
    settings: tuple[str, ...] = ()
    """Attributes that are numbers; replicates may differ in them, and then each is an array, one number for each."""

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
        self._owner: weakref.ref[ParamTree] | None = None
        self._saved: tuple[Any, ...] | None = None
        self._rngs: list[np.random.Generator] = []  # where it draws from, one per replicate
        self._refuse_shared_children()
        home = self._home_of_children()
        if home is None:
            home = ParamBuffer(
                0, backend=get_backend(backend, type(self).__name__), dtype="float32" if dtype is None else dtype
            )
        self._settle(home, {name: (value, np.zeros_like(value)) for name, value in own.items()})

    # ---- the parameters

    @property
    def values(self) -> Array:
        """All parameters, flat: a view of shape (*lead, size)."""
        return self._values

    @property
    def grads(self) -> Array:
        """All gradients, flat: a view of shape (*lead, size)."""
        self._buffer.hand_out()
        return self._grads

    @property
    def lead(self) -> tuple[int, ...]:
        """The replicate axes: (), or (R,) for R networks in one."""
        return self._buffer.lead

    @property
    def backend(self) -> Backend:
        """The library and the device of the parameters."""
        return self._buffer.backend

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters, as the backend's library has it."""
        return self._buffer.dtype

    def params(self) -> list[Param]:
        """Return the pairs (value, grad) of all parameters, depth first; each array is a view.

        To change them, unpack: ``for value, grad in model.params(): value -= 0.1 * grad``.
        """
        self._buffer.hand_out()
        return [param for _, param in self._named_params()]

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self._grads[...] = 0
        self._buffer.mark_fresh(self._starts)

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters under the names that torch gives them, such as ``"0.weight"``."""
        return {name: self.backend.asarray(param.value) for name, param in self._named_params()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copy parameters in; arrays of either library and any floating dtype will do.

        Parameters
        ----------
        state : mapping of str to array
            Exactly the names and shapes of :meth:`state_dict`.

        Raises
        ------
        ValueError
            Naming every entry that is missing, unknown or of another shape. Nothing has changed then.
        TypeError
            If an entry is not a floating array.
        """
        params = dict(self._named_params())
        complaints = [f"missing {name!r}" for name in params if name not in state]
        complaints += [f"unknown {name!r}" for name in state if name not in params]
        for name, param in params.items():
            if name in state and np.shape(state[name]) != param.value.shape:
                complaints.append(f"{name!r} of shape {tuple(param.value.shape)} got {tuple(np.shape(state[name]))}")
        if complaints:
            raise ValueError(f"{self}: the state dict does not fit: {'; '.join(complaints)}")
        arrays = {name: self._as_own(name, array) for name, array in state.items()}
        for name, array in arrays.items():
            params[name].value[...] = array

    def _assign(self, name: str, array: Array) -> None:
        """Copy an array into a parameter, as ``layer.weight = array`` does."""
        if name not in self._params:
            raise ValueError(f"{self}: has no {name} to assign to")
        value = self._params[name].value
        if np.shape(array) != value.shape:
            expected, got = tuple(value.shape), tuple(np.shape(array))
            raise ValueError(f"{self}: expected {name} of shape {expected}, got {got}")
        value[...] = self._as_own(name, array)

    def _as_own(self, name: str, array: Array) -> Array:
        library_of(array, self, name, grad_allowed=True)
        if dtype_name(array.dtype) not in FLOATS:
            raise TypeError(f"{self}: expected {name} to hold floating point numbers, got {describe(array)}")
        return self.backend.asarray(array, self.dtype)

    # ---- the tree

    def spec(self) -> tuple[LayerSpec, ...]:
        """Describe the network as data: its layers in order, with where their parameters lie in the vector."""
        return tuple(self._records("", self._start))

    def options(self) -> dict[str, Any]:
        """Return the settings beside the widths, for `spec`; what is not set is left out."""
        return {name: getattr(self, name) for name in self.settings if getattr(self, name) is not None}

    def __str__(self) -> str:
        return str(self.spec()[0])

    __repr__ = __str__

    def _records(self, path: str, origin: int) -> Iterator[LayerSpec]:
        inside = [record for name, c in self._children.items() for record in c._records(f"{path}{name}.", origin)]
        yield LayerSpec(
            kind=type(self).__name__,
            path=path.removesuffix("."),
            in_features=self.in_features,
            out_features=self.out_features,
            options=tuple((name, _plain(value)) for name, value in self.options().items()),
            params=tuple(ParamSpec(n, s, self._offsets[n] - origin) for n, s in self._shapes.items()),
            children=tuple(inside),
            origin=type(self).__module__.partition(".")[0],
        )

    def _tree(self) -> Iterator[Self]:
        """Go through this module and all below it, depth first."""
        yield self
        for child in self._children.values():
            yield from child._tree()

    def _named_params(self, path: str = "") -> Iterator[tuple[str, Param]]:
        for name, param in self._params.items():
            yield path + name, param
        for name, child in self._children.items():
            yield from child._named_params(f"{path}{name}.")

    def _place(self, name: str) -> str:
        """Words for a child in an error message."""
        return f"{name}: {self._children[name]}"

    # ---- the layout

    def _settle(self, home: ParamBuffer, own: Mapping[str, tuple[Array, Array]]) -> None:
        """Lay out one buffer, like `home`, for this module and its children, and copy everything in."""
        inherited = [(child, child._values, child._grads) for child in self._children.values()]
        size = sum(map(prod, self._shapes.values())) + sum(values.shape[-1] for _, values, _ in inherited)
        self._bind(ParamBuffer(size, backend=home.backend, dtype=home.dtype, lead=home.lead), 0)
        for name, (value, grad) in own.items():
            self._params[name].value[...] = home.backend.asarray(value, home.dtype)
            self._params[name].grad[...] = home.backend.asarray(grad, home.dtype)
        for child, values, grads in inherited:
            if values.shape[-1]:  # a module without parameters may come from any library
                child._values[...] = values
                child._grads[...] = grads
            child._owner = weakref.ref(self)

    def _bind(self, buffer: ParamBuffer, start: int) -> int:
        """Make the views of this module and those below it, from `start` on; return where they end."""
        self._buffer, self._start = buffer, start
        self._program: Any = None  # what the native engine made of the layers; see `engine`
        self._params: dict[str, Param] = {}
        self._offsets: dict[str, int] = {}
        stop = start
        for name, shape in self._shapes.items():
            self._params[name], self._offsets[name] = buffer.view(stop, shape), stop
            stop += prod(shape)
        self._starts = list(self._offsets.values())
        for child in self._children.values():
            stop = child._bind(buffer, stop)
            self._starts += child._starts
        self._values, self._grads = buffer.view(start, (stop - start,))
        self._note_views()
        return stop

    def _note_views(self) -> None:
        """Keep views of parameters under names of a module's own, once they are made; `_BOUND` must list them."""

    def _refuse_shared_children(self) -> None:
        places: dict[int, str] = {}
        for name, child in self._children.items():
            if child._owner is not None and child._owner() is not None:
                raise ValueError(
                    f"{type(self).__name__}: {self._place(name)} is already part of another module: "
                    "build a new one, or take copy.deepcopy of it",
                )
            for module in child._tree():
                if id(module) in places:
                    raise ValueError(
                        f"{type(self).__name__}: {self._place(name)} is the same module as {places[id(module)]}: "
                        "each place needs a module of its own",
                    )
                places[id(module)] = self._place(name)

    def _home_of_children(self) -> ParamBuffer | None:
        """Return the buffer of the first child that has parameters or replicates, once all are known to be alike."""
        homes = {name: c._buffer for name, c in self._children.items() if c._values.shape[-1] or c.lead}
        for name, other in homes.items():
            first, home = next(iter(homes.items()))
            if (other.backend, other.dtype, other.lead) != (home.backend, home.dtype, home.lead):
                raise ValueError(
                    f"{type(self).__name__}: expected layers of one backend, dtype and replicate shape; "
                    f"{self._place(first)} has {home.kind}, {self._place(name)} has {other.kind}",
                )
        return next(iter(homes.values()), None)

    # ---- replicates

    def _merge(self, twins: Sequence[Self]) -> None:
        """Take over what is not a parameter from the modules that this one replicates."""
        for name in self.settings:
            numbers = [getattr(twin, name) for twin in twins]
            if any(number != numbers[0] for number in numbers):
                setattr(self, name, np.array(numbers, np.float64))

    def _pick(self, index: int) -> None:
        """Keep what belongs to one replicate alone; the opposite of `_merge`."""
        for name in self.settings:
            if isinstance(getattr(self, name), np.ndarray):
                setattr(self, name, float(getattr(self, name)[index]))

    def _relead(self, lead: tuple[int, ...], values: Array, grads: Array) -> None:
        """Move into a new buffer with other replicate axes and the given contents."""
        self._bind(ParamBuffer(values.shape[-1], backend=self.backend, dtype=self.dtype, lead=lead), 0)
        self._values[...] = values
        self._grads[...] = grads

    # ---- copies

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the views, which copying would break silently, and the arrays behind them."""
        state = {name: value for name, value in self.__dict__.items() if name not in _BOUND}
        to_numpy = self.backend.to_numpy
        own = {name: (to_numpy(p.value).copy(), to_numpy(p.grad).copy()) for name, p in self._params.items()}
        return {**state, "own": own, "home": (self.backend, dtype_name(self.dtype), self.lead)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        own, (backend, dtype, lead) = state.pop("own"), state.pop("home")
        self.__dict__.update(state)
        self._owner = self._saved = None
        self._settle(ParamBuffer(0, backend=backend, dtype=dtype, lead=lead), own)

    def __copy__(self) -> Self:
        raise TypeError(f"{self}: a shallow copy would share its parameters with the original: use copy.deepcopy")


def _plain(value: Any) -> Any:
    """Return an array of numbers as a tuple, which a record can hold and compare."""
    return tuple(value.tolist()) if isinstance(value, np.ndarray) else value
