"""A tree of modules as its users see it: parameters and their names, state dicts, replicates.

The report knows nothing of this file. Read `layers/module.py` and the layers first.
"""

from __future__ import annotations

import pickle
from collections.abc import Hashable, Iterator, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Self

import numpy as np

from minidl.arrays.backend import FLOATS, Array, describe, dtype_name, is_float, library_of
from minidl.arrays.shares import Share
from minidl.parameters.buffer import Param
from minidl.parameters.described import Described

_COMPARED, _FEW = 64, 8  # elements of a matrix that tell it from another one; few may have a direction in common


class ParamTree(Described):
    """The part of a module that gives access to its parameters; see `Module` for the constructor's arguments.

    Attributes
    ----------
    keeps_width : bool
        Whether the output is known to be as wide as the input.
    statistics : dict of str to array
        What the module measures of its data, each array with the replicate axes in front; empty for most modules. State
        dicts contain it; no optimizer changes it. A module replaces these arrays, and never writes to them.
    generators : list of numpy.random.Generator
        The generators that the module draws from, one per replicate; empty for a module that draws nothing.
    least_samples : int
        The samples that a batch of a training must have at least.
    share : Share or None
        Which samples of a batch the module gets, in a training that several processes share; see `Share`.
    """

    keeps_width: bool = False
    statistics: Mapping[str, Array] = MappingProxyType({})
    generators: Sequence[np.random.Generator] = ()
    least_samples: int = 1
    share: Share | None = None

    # ---- the parameters

    # These properties are read many times in each step: `attrgetter` makes them as fast as attributes.
    values = property(attrgetter("_values"), doc="All parameters, flat: a view of shape (*replicate_shape, size).")
    grads_to_read = property(
        attrgetter("_grads"),
        doc="""The flat gradients, for reading only.

        Unlike `grads`, this lets the next `backward` write fresh gradients instead of adding to them. The array must
        neither be written to nor be kept.
        """,
    )
    replicate_shape = property(
        attrgetter("_buffer.replicate_shape"),
        doc="The shape of the replicate axes: (), or (R,) for R networks in one.",
    )
    backend = property(attrgetter("_buffer.backend"), doc="The library and the device of the parameters.")
    dtype = property(attrgetter("_buffer.dtype"), doc="The dtype of the parameters, in the backend's library.")

    @property
    def grads(self) -> Array:
        """All gradients, flat: a view of shape (*replicate_shape, size)."""
        self._buffer.hand_out()
        return self._grads

    def params(self) -> list[Param]:
        """Return the pairs (value, grad) of all parameters, depth first; each array is a view.

        To change them, unpack: ``for value, grad in model.params(): value -= 0.1 * grad``.
        """
        self._buffer.hand_out()
        return [param for _, param in self._named_params()]

    def named_parameters(self) -> Iterator[tuple[str, Array]]:
        """Iterate over all parameters and the names that torch gives them, such as ``"0.weight"``.

        Each array is a view of shape (*replicate_shape, ...), not a copy. Like every kept view, it goes stale when the
        parameters move into a network or a copy.

        Examples
        --------
        >>> import minidl
        >>> model = minidl.Sequential([minidl.Linear(2, 25), minidl.ReLU()])
        >>> {name: value.shape for name, value in model.named_parameters()}
        {'0.weight': (25, 2), '0.bias': (25,)}
        """
        return iter([(name, param.value) for name, param in self._named_params()])

    def named_gradients(self) -> Iterator[tuple[str, Array]]:
        """Iterate over the gradients of all parameters, by the names and in the order of `named_parameters`.

        Each array is a view, to which you may write.
        """
        self._buffer.hand_out()
        return iter([(name, param.grad) for name, param in self._named_params()])

    def param(self, name: str) -> Array:
        """Return one of the module's own parameters: the view that is current now.

        A view that is kept goes stale when the parameters move, so fetch the parameter at each use, or keep the view
        in `cache_views`.

        Raises
        ------
        ValueError
            If the module has no such parameter of its own.
        """
        if name not in self._params:
            raise ValueError(f"{self}: expected one of the parameters {', '.join(self._params)}, got {name!r}")
        return self._params[name].value

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        if not self._buffer.fresh.issuperset(self._starts):
            self._grads[...] = 0
            self._buffer.fresh.update(() if self._buffer.handed_out else self._starts)

    def replace_grads(self, vector: Array) -> None:
        """Copy a vector of shape (*replicate_shape, size) into the gradients."""
        self._grads[...] = vector
        self._buffer.fresh.difference_update(self._starts)

    def state_dict(self, prefix: str = "") -> dict[str, Array]:
        """Return copies of all parameters and statistics under torch's names, such as ``"0.weight"``.

        Parameters
        ----------
        prefix : str
            Put in front of each name: ``"net."`` for a network that is the part ``net`` of another one.
        """
        entries = self._named_entries(prefix)
        return {name: module.backend.asarray(module._entry(own)) for name, (module, own) in entries.items()}

    def load_state_dict(self, state: Mapping[str, Array], prefix: str = "") -> None:
        """Copy parameters and statistics in; arrays of either library and any floating dtype will do.

        Parameters
        ----------
        state : mapping of str to array
            Exactly the names and shapes of :meth:`state_dict`.
        prefix : str
            Of the names that belong to this network; entries without it, those of other parts, are left alone.

        Raises
        ------
        ValueError
            Naming every entry that is missing, unknown or of another shape. Nothing has changed then.
        TypeError
            If an entry is not a floating array, or for a statistic that counts not an array of integers.
        """
        entries = self._named_entries(prefix)
        state = {name: array for name, array in state.items() if name.startswith(prefix)}
        complaints = [f"missing {name!r}" for name in entries if name not in state]
        complaints += [f"unknown {name!r}" for name in state if name not in entries]
        for name, (module, own) in entries.items():
            shape = tuple(module._entry(own).shape)
            if name in state and np.shape(state[name]) != shape:
                complaints.append(f"{name!r} of shape {shape} got {tuple(np.shape(state[name]))}")
        if complaints:
            raise ValueError(f"{self}: the state dict does not fit: {'; '.join(complaints)}")
        arrays = {name: self._as_entry(name, array, *entries[name]) for name, array in state.items()}
        for name, array in arrays.items():
            module, own = entries[name]
            if own in module._params:
                module._params[own].value[...] = array
            else:
                module.statistics = {**module.statistics, own: array}

    def assign(self, name: str, array: Array) -> None:
        """Copy an array into one of the module's own parameters, as ``layer.weight = array`` does.

        Raises
        ------
        ValueError, TypeError
            If there is no such parameter, or the array is of another shape or not floating.
        """
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

    def _as_entry(self, name: str, array: Array, module: ParamTree, own: str) -> Array:
        """Return an array of a state dict in the library and dtype of the parameter or statistic that it replaces."""
        if is_float(module._entry(own)):
            return self._as_own(name, array)
        library_of(array, self, name)
        if "int" not in dtype_name(array.dtype):
            raise TypeError(f"{self}: expected {name} to hold integers, got {describe(array)}")
        return self.backend.asarray(array, module._entry(own).dtype)

    def _entry(self, name: str) -> Array:
        """Return one of the module's own parameters or statistics."""
        return self._params[name].value if name in self._params else self.statistics[name]

    def _named_entries(self, path: str = "") -> dict[str, tuple[ParamTree, str]]:
        """Return the module of each parameter and statistic, and its name there, by its name in a state dict."""
        entries = {path + name: (self, name) for name in (*self._params, *self.statistics)}
        for name, child in self._children.items():
            entries |= child._named_entries(f"{path}{name}.")
        return entries

    def _named_params(self, path: str = "") -> Iterator[tuple[str, Param]]:
        for name, param in self._params.items():
            yield path + name, param
        for name, child in self._children.items():
            yield from child._named_params(f"{path}{name}.")

    # ---- random numbers

    def draws(self) -> Iterator[tuple[Hashable, object]]:
        """Iterate over what tells the random numbers of this module from those of others, each with its source.

        These are the direction of each matrix, whatever its standard deviation, and the state of each generator.
        """
        for name, param in self._params.items():
            numbers = self.backend.to_numpy(param.value).astype(np.float64)
            first = numbers.reshape(-1)[:_COMPARED]
            if numbers.ndim > 1 and (first != first[:1]).any():  # no constants
                direction = first if first.size <= _FEW else np.round(first / np.abs(first).max(), 3)
                yield (name, numbers.shape, direction.tobytes()), param
        for generator in self.generators:
            yield pickle.dumps(generator.bit_generator.state), generator

    # ---- replicates

    def merge_replicates(self, twins: Sequence[Self]) -> None:
        """Take over the settings and statistics of the modules that this one replicates; part of `replicate`.

        Parameters
        ----------
        twins : sequence of modules like this one
            One per replicate. Their parameters have been taken over already.
        """
        for name in self.settings:
            numbers = [getattr(twin, name) for twin in twins]
            if any(number != numbers[0] for number in numbers):
                setattr(self, name, np.array(numbers, np.float64))
        asarray, to_numpy = self.backend.asarray, self.backend.to_numpy
        for name in self.statistics:
            joined = asarray(np.stack([to_numpy(twin.statistics[name]) for twin in twins]))
            self.statistics = {**self.statistics, name: joined}

    def pick_replicate(self, index: int) -> None:
        """Keep settings and statistics of one replicate alone, the reverse of `merge_replicates`; part of `unstack`."""
        for name in self.settings:
            if isinstance(getattr(self, name), np.ndarray):
                setattr(self, name, float(getattr(self, name)[index]))
        for name, array in self.statistics.items():
            self.statistics = {**self.statistics, name: self.backend.asarray(array[index])}
