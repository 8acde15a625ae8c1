"""One vector for all the parameters of a network, and one for their gradients."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from minidl.arrays.backend import Array, Backend, dtype_name


class Param(NamedTuple):
    """A parameter: two views into the vectors of its network.

    Attributes
    ----------
    value, grad : array, shape (*replicate_shape, *shape)
    """

    value: Array
    grad: Array


class ParamBuffer:
    """The values and the gradients of all parameters of a network, in two flat vectors.

    Modules hold views. The order is depth first, so every sub-module is a contiguous slice: ``layer.update`` works on
    its slice alone and ``model.update`` is one operation on the whole vector. Axes in front of the vector are
    replicates: `R` networks lie in a buffer of shape (R, size).

    Parameters
    ----------
    size : int
        Number of parameters of one network.
    backend : Backend
    dtype : dtype
        Of the backend's library.
    replicate_shape : tuple of int
        The shape of the replicate axes; () for a single network.

    Attributes
    ----------
    values, grads : array, shape (*replicate_shape, size)
        Both start at zero.
    fresh : set of int
        The start of each parameter whose gradient is known to be zero. The next `backward` may write such a gradient
        instead of adding to it, which saves a temporary and a pass over memory.
    handed_out : bool
        Whether code outside the modules holds a view of the gradients. That code may write to them, so no gradient
        counts as fresh.
    frozen : set of int
        The start of each parameter that is not trained.
    ranges : dict
        What `Module.ranges` has found, until a parameter is frozen or trained again.
    ones : ndarray
        A vector of ones of the last batch's length: its product with a matrix is the sum of the matrix's rows.

    Examples
    --------
    >>> import minidl
    >>> buffer = minidl.ParamBuffer(8, backend=minidl.get_backend("numpy"), dtype="float32")
    >>> weight = buffer.view(0, (2, 3))
    >>> buffer.values[4] = 1
    >>> weight.value
    array([[0., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """

    def __init__(self, size: int, *, backend: Backend, dtype: Any, replicate_shape: tuple[int, ...] = ()) -> None:
        self.size = size
        self.backend = backend
        self.dtype = backend.dtype(dtype, "ParamBuffer")
        self.replicate_shape = replicate_shape
        zeros = np.zeros((*replicate_shape, size), dtype_name(dtype))
        self.values = backend.asarray(zeros)
        self.grads = backend.asarray(zeros)
        self.fresh: set[int] = set()
        self.handed_out = False
        self.frozen: set[int] = set()
        self.ranges: dict[tuple[int, int, int], tuple[slice, ...]] = {}
        self.ones = np.empty(0)

    def view(self, start: int, shape: tuple[int, ...]) -> Param:
        """Return the parameter of the given shape that begins at `start`, as views.

        Splitting the last axis never copies, whatever axes stand in front of it.
        """
        stop = start + prod(shape)
        values, grads = self.values[..., start:stop], self.grads[..., start:stop]
        return Param(values.reshape((*self.replicate_shape, *shape)), grads.reshape((*self.replicate_shape, *shape)))

    def hand_out(self) -> None:
        """Note that code outside the modules holds a view of the gradients from now on."""
        self.handed_out = True
        self.fresh.clear()

    @property
    def kind(self) -> str:
        """The library, dtype and replicates in words, for an error message."""
        replicates = f", replicates {self.replicate_shape}" if self.replicate_shape else ""
        return f"{dtype_name(self.dtype)} ({self.backend.name}{replicates})"

    def __repr__(self) -> str:
        return f"ParamBuffer({self.size}, {self.kind})"
