"""The two array libraries: what NumPy and PyTorch spell differently, and nothing else.

Most of what the modules need (``@``, ``exp``, ``where``, ``sum(axis=)``, ``.mT``) is spelled alike in both and used
directly, through ``backend.xp``. A :class:`Backend` names the few things that are not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A ``numpy.ndarray`` or a ``torch.Tensor``. torch is optional, so neither name can stand here."""

FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True, eq=False)
class Backend:
    """An array library and the device that its arrays live on.

    There is one record per library and device, so ``is`` compares them. A parameter buffer stores the record of its
    arrays once; there is no current backend anywhere.

    Attributes
    ----------
    name : str
        ``"numpy"``, or ``"torch:"`` and the device: ``"torch:cpu"``, ``"torch:cuda:0"``.
    xp : module
        The library itself.
    maximum, minimum : callable
        ``maximum(x, scalar)``, element by element; nan stays nan.
    asarray : callable
        ``asarray(x, dtype)``: a new array of this library, device and dtype from a NumPy array or a tensor. `dtype` is
        of this library; None keeps that of `x`.
    to_numpy : callable
        The array as a NumPy array, without a copy where the memory can be shared.
    take : callable
        ``take(x, indices, axis)``: `x` at the integer array `indices`, of any shape, along one axis.
    indices : callable
        An array of integers of any type as one that can be compared with any integer: torch compares in the type of the
        tensor, in which 300 may be 44, and some of its unsigned types not at all.
    pick : callable
        ``pick(x, indices)``: one element of each row of `x` (..., C), chosen by integers of any type (...); the leading
        axes of `x` may be missing in `indices`, which all then share.
    """

    name: str
    xp: Any
    maximum: Callable[[Array, float], Array]
    minimum: Callable[[Array, float], Array]
    asarray: Callable[..., Array]
    to_numpy: Callable[[Array], np.ndarray]
    take: Callable[[Array, Array, int], Array]
    indices: Callable[[Array], Array]
    pick: Callable[[Array, Array], Array]

    def dtype(self, dtype: Any, who: object) -> Any:
        """Return the library's own dtype for a name or a dtype of either library; only the three floats are allowed."""
        name = dtype_name(dtype)
        if name not in FLOATS:
            raise TypeError(f"{who}: expected dtype float16, float32 or float64, got {dtype!r}")
        return np.dtype(name) if self is NUMPY else getattr(self.xp, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return get_backend, (self.name,)

    def __repr__(self) -> str:
        return f"Backend({self.name!r})"


NUMPY = Backend(
    name="numpy",
    xp=np,
    maximum=np.maximum,
    minimum=np.minimum,
    asarray=lambda x, dtype=None: np.array(_on_cpu(x), dtype=dtype, order="C"),
    to_numpy=np.asarray,
    take=lambda x, indices, axis: x.take(indices, axis=axis),
    indices=lambda x: x,
    pick=lambda x, indices: np.take_along_axis(x, np.broadcast_to(indices, x.shape[:-1])[..., None], axis=-1)[..., 0],
)


@lru_cache
def _torch_backend(device: str) -> Backend:
    import torch  # noqa: PLC0415 - only who asks for torch pays for it

    on_gpu = device.startswith("cuda")  # `to` has read the tensor when it returns: no step has to end before

    def asarray(x: Array, dtype: Any = None) -> Array:
        array = np.asarray(_on_cpu(x))
        plain = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")  # torch takes no other layout
        tensor = torch.tensor(plain, dtype=dtype)
        return tensor.to(device, non_blocking=on_gpu) if device != "cpu" else tensor

    def pick(x: Array, indices: Array) -> Array:
        rows = torch.broadcast_to(indices.to(torch.int64), x.shape[:-1])
        return torch.take_along_dim(x, rows[..., None], dim=-1)[..., 0]

    return Backend(
        name=f"torch:{device}",
        xp=torch,
        maximum=torch.clamp_min,
        minimum=torch.clamp_max,
        asarray=asarray,
        to_numpy=lambda x: x.detach().cpu().numpy(),
        take=lambda x, indices, axis: x[(slice(None),) * axis + (indices,)],
        indices=lambda x: x.to(torch.int64),
        pick=pick,
    )


def get_backend(backend: str | Backend | None = None, who: object = "get_backend") -> Backend:
    """Look up a backend by name.

    Parameters
    ----------
    backend : {"numpy", "torch", "torch:DEVICE"}, Backend or None
        ``"torch"`` is the CPU; ``"torch:cuda:0"`` any other device of torch. None is NumPy.
    who : object
        Who asks, for the error.

    Returns
    -------
    Backend

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> get_backend("numpy").name
    'numpy'
    """
    if isinstance(backend, Backend):
        return backend
    if backend in (None, "numpy"):
        return NUMPY
    library, _, device = str(backend).partition(":")
    if library != "torch":
        raise ValueError(f"{who}: expected backend 'numpy', 'torch' or 'torch:DEVICE', got {backend!r}")
    if device in ("", "cpu"):
        return _torch_backend("cpu")
    import torch  # noqa: PLC0415 - only who asks for torch pays for it

    try:
        return _torch_backend(str(torch.empty(0, device=device).device))  # "cuda" becomes "cuda:0", as its tensors say
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"{who}: expected a device that torch has here, got {backend!r}: {error}") from error


def library_of(x: Any, who: object, name: str = "x", *, grad_allowed: bool = False) -> Backend:
    """Return the backend of an array; TypeError, in the name of `who`, if it is none."""
    if type(x) is np.ndarray:
        return NUMPY
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported torch
    if torch is not None and isinstance(x, torch.Tensor):
        if x.requires_grad and not grad_allowed:
            raise TypeError(
                f"{who}: expected {name} not to require grad; here the gradient is explicit, in backward: "
                f"hand in {name}.detach() and call backward(dy)",
            )
        return _torch_backend(str(x.device))
    if isinstance(x, np.matrix | np.ma.MaskedArray) or not isinstance(x, np.ndarray | np.generic):
        raise TypeError(f"{who}: expected {name} to be a NumPy array or a torch tensor, got {type(x).__name__}")
    return NUMPY


def backend_of(x: Any, who: object, name: str = "x") -> Backend:
    """Return the backend of a floating array; TypeError, in the name of `who`, if it is none."""
    if type(x) is np.ndarray and x.dtype.char in "efd":  # the common case
        return NUMPY
    backend = library_of(x, who, name)
    if dtype_name(x.dtype) not in FLOATS:
        how = f"{name}.astype(np.float32)" if backend is NUMPY else f"{name}.to(torch.float32)"
        hint = f"; try {how}" if "int" in dtype_name(x.dtype) else ""
        raise TypeError(f"{who}: expected {name} to be float16, float32 or float64, got {describe(x)}{hint}")
    return backend


def dtype_name(dtype: Any) -> str:
    """Return the name of a dtype, the same for ``np.float32``, ``torch.float32`` and ``"float32"``."""
    if isinstance(dtype, np.dtype):
        return _numpy_name(dtype)
    name = str(dtype)
    if name.startswith("torch."):
        return name.removeprefix("torch.")
    try:
        return str(np.dtype(dtype).name)
    except TypeError:
        return name


@lru_cache
def _numpy_name(dtype: np.dtype[Any]) -> str:
    return str(dtype.name)  # which NumPy puts together anew each time


def is_float(x: Array) -> bool:
    """Whether an array of either library holds floating point numbers."""
    dtype = x.dtype
    return bool(dtype.kind == "f" if isinstance(dtype, np.dtype) else dtype.is_floating_point)


def describe(x: Any) -> str:
    """Words for an array in an error message: ``float32 (50, 25)``."""
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return type(x).__name__
    return f"{x.dtype} {tuple(x.shape)}"


def _on_cpu(x: Array) -> Any:
    """Return a tensor as a NumPy array, anything else as it is."""
    return x.detach().cpu().numpy() if hasattr(x, "detach") else x
