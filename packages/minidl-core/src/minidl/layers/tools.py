"""Helpers for authors of modules, called in `forward` and `backward`."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import NUMPY, Array, Backend, backend_of, describe, dtype_name, library_of
from minidl.parameters.tree import ParamTree


class ModuleTools(ParamTree):
    """The part of a module that its author calls: checks, what `backward` needs, gradients, broadcasting."""

    # ---- from forward to backward

    def save_for_backward(self, y: Array, *needed: Any) -> Array:
        """Save what `backward` needs, and the shape and dtype that its `dy` must have.

        Parameters
        ----------
        y : array
            The output of `forward`.
        *needed
            What `saved` returns in `backward`. Arrays are not copied.

        Returns
        -------
        array
            `y`.
        """
        self._saved = y.shape, y.dtype, needed
        return y

    def saved(self, dy: Array) -> tuple[Any, ...]:
        """Check `dy` against the output of `forward`, and return what `forward` saved.

        Raises
        ------
        ValueError
            If `forward` was not called, or `dy` has another shape than its output.
        TypeError
            If `dy` has another dtype, or is no array.
        """
        if self._saved is None:
            raise ValueError(f"{self}: backward before forward: call forward(x) first")
        shape, dtype, needed = self._saved
        if type(dy) is not np.ndarray or dy.dtype != dtype:
            backend_of(dy, self, "dy")
        if dy.dtype != dtype or (dy.shape != shape and not self._shares_output(dy, shape)):
            wrong = ValueError if dy.dtype == dtype else TypeError
            raise wrong(f"{self}: expected dy like the output of forward, {dtype} {tuple(shape)}, got {describe(dy)}")
        return needed  # type: ignore[no-any-return]  # a tuple, as save_for_backward put it there

    def _shares_output(self, dy: Array, shape: tuple[int, ...]) -> bool:
        """Whether dy has one gradient per replicate for an output of two axes that the replicates share."""
        return len(shape) == 2 and dy.shape == (*self._buffer.replicate_shape, *shape)

    # ---- gradients

    def accumulate_grad(self, name: str, function: Callable[..., Array], *args: Any, **options: Any) -> None:
        """Add ``function(*args, **options)`` to the gradient of a parameter, unless that is frozen.

        A gradient must not be written in any other way.

        Parameters
        ----------
        name : str
            One of the module's own parameters.
        function : callable
            Returns an array of the parameter's shape; takes ``out=``, to which it writes while the gradient is zero.
        """
        grad, start, home = self._params[name].grad, self._offsets[name], self._buffer
        if start in home.frozen:
            return
        fresh = home.fresh
        if start in fresh:
            fresh.discard(start)
            function(*args, out=grad, **options)
        else:
            grad += function(*args, **options)

    def sum_samples(self, rows: Array, out: Array | None = None) -> Array:
        """Sum over the samples, (*replicate_shape, ..., feature) -> (*replicate_shape, feature)."""
        home = self._buffer
        replicates = home.replicate_shape
        if rows.ndim != len(replicates) + 2:
            rows = rows.reshape(*replicates, prod(rows.shape[len(replicates) : -1]), rows.shape[-1])
        if home.backend is not NUMPY:
            return home.backend.xp.sum(rows, axis=-2, out=out)
        if home.ones.shape[0] != rows.shape[-2]:
            home.ones = np.ones(rows.shape[-2], home.dtype)
        return np.matmul(home.ones, rows, out=out)  # for small layers faster than `sum`

    # ---- checks of the input

    def check_input(self, x: Array, features: int) -> None:
        """Raise unless x is an array like the parameters, `features` wide, with the replicate axes or shared by them.

        Raises
        ------
        ValueError, TypeError
            For another shape, library or dtype.
        """
        home = self._buffer
        plain = type(x) is np.ndarray and home.backend is NUMPY
        if not ((plain or backend_of(x, self) is home.backend) and x.dtype == home.dtype):
            got, own = backend_of(x, self), dtype_name(home.dtype)
            hint = f": convert it, x.astype(np.{own}), or build the layers with dtype={dtype_name(x.dtype)!r}"
            raise TypeError(
                f"{self}: expected x in the library and dtype of the parameters, {home.kind}, "
                f"got {describe(x)} ({got.name}){hint if got is home.backend is NUMPY else ''}",
            )
        if x.shape[-1:] != (features,):
            raise ValueError(f"{self}: expected x of shape (..., {features}), got {tuple(x.shape)}")
        if home.replicate_shape:
            self.check_replicates(x, str(features))

    def check_array(self, x: Array) -> Backend:
        """Return the backend of a floating array: the check of a module that takes any library and width.

        Raises
        ------
        TypeError
            If x is not a floating array.
        """
        if type(x) is np.ndarray and x.dtype.char in "efd":
            return NUMPY
        return backend_of(x, self)

    def check_replicates(self, x: Array, features: str = "feature") -> None:
        """Raise a ValueError unless x is shared by the replicates, or has their axes in front."""
        own = self._buffer.replicate_shape
        if x.ndim != 2 and (x.ndim < 2 + len(own) or x.shape[: len(own)] != own):
            axes = ", ".join(map(str, own))
            raise ValueError(
                f"{self}: expected x of shape (sample, {features}), shared by the replicates, "
                f"or ({axes}, ..., sample, {features}), got {tuple(x.shape)}",
            )

    # ---- broadcasting

    def broadcast_param(self, name: str, x: Array) -> Array:
        """Return a parameter with one number per feature, shaped to multiply x.

        Parameters
        ----------
        name : str
        x : array, shape (..., sample, feature) or (*replicate_shape, ..., sample, feature)
        """
        return self.broadcast_features(self._params[name].value, x)

    def broadcast_features(self, value: Array, x: Array) -> Array:
        """Return an array of one number per feature, (*replicate_shape, feature), shaped to multiply x.

        Parameters
        ----------
        value : array, shape (*replicate_shape, feature)
        x : array, as for `broadcast_param`
        """
        replicates = self._buffer.replicate_shape
        samples = max(x.ndim - len(replicates), 2) - 1  # an x of two axes is shared by the replicates
        return value.reshape(*replicates, *(1,) * samples, value.shape[-1]) if replicates else value

    def broadcast_setting(self, setting: float | np.ndarray, x: Array | None = None) -> Any:
        """Return a setting, one number or one per replicate, shaped to multiply x.

        Parameters
        ----------
        setting : float or ndarray of shape replicate_shape
        x : array, optional
            Of shape (*replicate_shape, ...), or of two axes and shared; without it the flat vector is meant.
        """
        if not isinstance(setting, np.ndarray):
            return setting
        if x is None:
            return self._buffer.backend.asarray(setting[..., None], self._buffer.dtype)
        replicates = self._buffer.replicate_shape
        behind = max(x.ndim - len(replicates), 2)
        return library_of(x, self).asarray(setting.reshape(*replicates, *(1,) * behind), x.dtype)
