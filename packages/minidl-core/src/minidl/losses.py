"""Losses (report, section II-C): a value to make small, and its gradient with respect to the prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from minidl.backend import Array, Backend, backend_of, describe, dtype_name, library_of
from minidl.checks import as_count
from minidl.numerics import log_softmax, sigmoid


class Loss(ABC):
    """A function of predictions and targets.

    Parameters
    ----------
    reduction : {"sum", "mean"}
        Over all samples and features: their sum, as in the report, or their mean, as is torch's default. Replicates are
        never summed.

    Raises
    ------
    ValueError
        For another reduction.
    """

    threshold: ClassVar[float] = 0.5
    """A single output above this value says class 1."""

    def __init__(self, reduction: str = "sum") -> None:
        if reduction not in ("sum", "mean"):
            raise ValueError(f"{type(self).__name__}: expected reduction 'sum' or 'mean', got {reduction!r}")
        self.reduction = reduction
        self._saved: tuple[Any, ...] | None = None
        self._count = 1

    @abstractmethod
    def forward(self, prediction: Array, target: Array, *, lead: int = 0) -> Array:
        """Compute the loss, and save what `backward` needs.

        Parameters
        ----------
        prediction : array, shape (*replicates, ..., feature)
        target : array
            Of the shape and dtype of `prediction`; without its replicate axes if the replicates share their targets.
        lead : int
            How many of the first axes of `prediction` are replicates.

        Returns
        -------
        scalar, or array of the shape of the replicate axes

        Raises
        ------
        ValueError
            If the shapes do not fit; for the mean of no elements.
        TypeError
            If `prediction` or `target` is not a floating array, or their libraries or dtypes differ.
        """

    @abstractmethod
    def backward(self) -> Array:
        """Return the gradient of the last `forward` with respect to its prediction.

        Raises
        ------
        ValueError
            If `forward` was not called.
        """

    def check_values(self, target: Array, features: int) -> None:  # noqa: B027 - most losses take any number
        """Refuse values that no target may have: `forward` asks for each batch, `fit` before the first for all.

        Parameters
        ----------
        target : array
        features : int
            Width of the predictions.

        Raises
        ------
        ValueError
        """

    def __call__(self, prediction: Array, target: Array, *, lead: int = 0) -> Array:
        """Return ``self.forward(prediction, target, lead=lead)``."""
        return self.forward(prediction, target, lead=lead)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reduction})"

    def _check(self, prediction: Array, target: Array, lead: int) -> Backend:
        """Raise unless `target` fits `prediction`; return their backend."""
        backend = self._check_prediction(prediction, lead)
        if backend_of(target, self, "target") is not backend or target.dtype != prediction.dtype:
            raise TypeError(
                f"{self}: expected a target in the library and dtype of the prediction, {prediction.dtype} "
                f"({backend.name}), got {describe(target)}",
            )
        if target.shape != prediction.shape and target.shape != prediction.shape[lead:]:
            raise self._wrong_shape(prediction.shape, lead, target)
        return backend

    def _check_prediction(self, prediction: Array, lead: int) -> Backend:
        backend = backend_of(prediction, self, "prediction")
        if lead:
            as_count(self, "lead", lead)
        if prediction.ndim <= lead:
            raise ValueError(
                f"{self}: expected a prediction with a feature axis behind {lead} replicate axes, "
                f"got {describe(prediction)}",
            )
        return backend

    def _wrong_shape(self, shape: tuple[int, ...], lead: int, target: Array) -> ValueError:
        shapes = str(tuple(shape)) + (f" or, shared by the replicates, {tuple(shape[lead:])}" if lead else "")
        return ValueError(f"{self}: expected a target of shape {shapes}, got {tuple(target.shape)}")

    def _reduce(self, terms: Array, lead: int) -> Array:
        """Sum or mean over everything behind the replicate axes."""
        flat = terms.reshape(*terms.shape[:lead], -1)
        if self.reduction == "sum":
            return flat.sum(axis=-1)
        count = flat.shape[-1]
        if not count:
            raise ValueError(f"{self}: expected at least one sample, got {describe(terms)}: there is no mean of none")
        self._count = count
        return flat.mean(axis=-1)

    def _recall(self) -> tuple[Any, ...]:
        if self._saved is None:
            raise ValueError(f"{self}: backward before forward: call forward(prediction, target) first")
        return self._saved


class MSELoss(Loss):
    """Squared error, ``L = Σ (f - y)²`` (eq. 9).

    The mean is over all elements, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean"}

    Examples
    --------
    >>> import numpy as np
    >>> loss = MSELoss()
    >>> float(loss(np.array([[1.0, 2.0]]), np.array([[0.0, 5.0]])))
    10.0
    >>> loss.backward()
    array([[ 2., -6.]])
    """

    def forward(self, prediction: Array, target: Array, *, lead: int = 0) -> Array:
        """Return ``Σ (f - y)²`` (eq. 9), and save f - y."""
        self._check(prediction, target, lead)
        diff = prediction - target
        value = self._reduce(diff * diff, lead)
        self._saved = (diff,)
        return value

    def backward(self) -> Array:
        """Return ``dL/df = 2 (f - y)``. Eq. 10 has the other sign, which would climb instead of descend."""
        (diff,) = self._recall()
        return diff * (2 / self._count)


_FLOOR = float(np.float32(1e-12))  # what torch keeps f (1 - f) above, and in which precision


class BCELoss(Loss):
    """Binary cross-entropy of probabilities, ``L = -Σ [y log f + (1 - y) log(1 - f)]`` (eq. 11, with its bracket).

    The logarithms are cut off at -100, as in torch, so that a certain and wrong prediction costs 100 and not infinity.
    :class:`BCEWithLogitsLoss` needs no such cut.

    Parameters
    ----------
    reduction : {"sum", "mean"}

    Raises
    ------
    ValueError
        By `forward`, for a prediction or a target outside [0, 1]; nan passes.

    Examples
    --------
    >>> import numpy as np
    >>> loss = BCELoss()
    >>> float(loss(np.array([[0.5]]), np.array([[1.0]])))
    0.6931471805599453
    >>> loss.backward()
    array([[-2.]])
    """

    def forward(self, prediction: Array, target: Array, *, lead: int = 0) -> Array:
        """Return ``-Σ [y log f + (1 - y) log(1 - f)]`` (eq. 11), and save f and y."""
        backend = self._check(prediction, target, lead)
        f, y, xp = prediction, target, backend.xp
        self._check_shares(f, "a prediction")
        self._check_shares(y, "a target")
        with np.errstate(divide="ignore"):  # log(0) is -inf on its way to -100
            log_f, log_1f = backend.maximum(xp.log(f), -100), backend.maximum(xp.log1p(-f), -100)
        value = self._reduce(-(y * log_f + (1 - y) * log_1f), lead)
        self._saved = f, y, backend
        return value

    def backward(self) -> Array:
        """Return ``dL/df = (f - y) / (f (1 - f))``; eq. 12 is the gradient with respect to the logit instead."""
        f, y, backend = self._recall()
        smallest = max(_FLOOR, float(np.finfo(dtype_name(f.dtype)).tiny))  # in float16 the floor alone would be zero
        return (f - y) / backend.maximum(f * (1 - f), smallest) / self._count

    def check_values(self, target: Array, features: int) -> None:  # noqa: ARG002 - not for this loss
        """Refuse a target outside [0, 1]; nan passes."""
        self._check_shares(target, "a target")

    def _check_shares(self, x: Array, what: str) -> None:
        if ((x < 0) | (x > 1)).any():
            raise ValueError(f"{self}: expected {what} in [0, 1], got {describe(x)} from {x.min()} to {x.max()}")


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits: eq. 11 behind a sigmoid, ``L = Σ [log(1 + exp(x)) - x y]``.

    Parameters
    ----------
    reduction : {"sum", "mean"}

    Notes
    -----
    With f = 1 / (1 + exp(-x)), log f = x - log(1 + exp(x)) and log(1 - f) = -log(1 + exp(x)): that is the formula.
    Computed as ``max(x, 0) - x y + log(1 + exp(-|x|))`` it never overflows, and the two large terms of a
    certain prediction cancel before the small one is added.

    Examples
    --------
    >>> import numpy as np
    >>> loss = BCEWithLogitsLoss()
    >>> float(loss(np.array([[0.0, 1000.0]]), np.array([[1.0, 0.0]])))
    1000.6931471805599
    >>> loss.backward()
    array([[-0.5,  1. ]])
    """

    threshold = 0.0

    def forward(self, prediction: Array, target: Array, *, lead: int = 0) -> Array:
        """Return ``Σ [max(x, 0) - x y + log(1 + exp(-|x|))]``, and save x and y."""
        backend = self._check(prediction, target, lead)
        x, y, xp = prediction, target, backend.xp
        value = self._reduce(backend.maximum(x, 0) - x * y + xp.log1p(xp.exp(-xp.abs(x))), lead)
        self._saved = x, y, backend
        return value

    def backward(self) -> Array:
        """Return ``dL/dx = sigmoid(x) - y`` (eq. 12, with its sign mended)."""
        x, y, backend = self._recall()
        return (sigmoid(backend, x) - y) / self._count


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits over classes, ``L = -Σ log softmax(x)[class]``; beyond the report.

    Targets are class indices, integers of the shape of the prediction without its last axis, or probabilities of the
    classes in the shape and dtype of the prediction, such as one-hot rows. The mean is over samples, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean"}

    Raises
    ------
    ValueError
        By `forward`, for a class below 0 or above C - 1.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropyLoss()
    >>> float(loss(np.zeros((1, 4)), np.array([2])))
    1.3862943611198906
    >>> loss.backward()
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """

    def forward(self, prediction: Array, target: Array, *, lead: int = 0) -> Array:
        """Return ``-Σ log softmax(x)[class]``, or ``-Σ p log softmax(x)``; save log softmax and the target."""
        backend = self._check_prediction(prediction, lead)
        indices = self._is_indices(target)
        if indices:
            target = self._as_indices(prediction, target, lead, backend)
        elif target.shape not in (prediction.shape, prediction.shape[lead:]) and self._counts_rows(
            prediction, target, lead
        ):
            raise TypeError(f"{self}: expected class indices to be integers, got {describe(target)}")
        else:
            self._check(prediction, target, lead)
        log_p = log_softmax(backend, prediction)
        if indices:
            target = backend.xp.broadcast_to(target, log_p.shape[:-1])
            terms = -backend.pick(log_p, target)
        else:
            terms = -(target * log_p).sum(axis=-1)
        value = self._reduce(terms, lead)
        self._saved = log_p, target, indices, backend
        return value

    def backward(self) -> Array:
        """Return ``dL/dx = softmax(x) - onehot(class)``, or ``softmax(x) Σ p - p``."""
        log_p, target, indices, backend = self._recall()
        p = backend.xp.exp(log_p)
        if indices:
            classes = backend.asarray(np.arange(p.shape[-1]))
            return backend.xp.where(target[..., None] == classes, p - 1, p) / self._count
        return (p * target.sum(axis=-1, keepdims=True) - target) / self._count

    def _is_indices(self, target: Array) -> bool:
        library_of(target, self, "target")
        return "int" in dtype_name(target.dtype)

    def _counts_rows(self, prediction: Array, target: Array, lead: int) -> bool:
        """Whether a target has one element for each row of the prediction."""
        return target.shape in (prediction.shape[:-1], prediction.shape[lead:-1])

    def check_values(self, target: Array, features: int) -> None:
        """Refuse class indices below 0 or above ``features - 1``."""
        if not self._is_indices(target):
            return
        target = library_of(target, self, "target").indices(target)
        outside = target[(target < 0) | (target >= features)]
        if outside.shape[0]:
            raise ValueError(f"{self}: expected class indices from 0 to {features - 1}, got {int(outside[0])}")

    def _as_indices(self, prediction: Array, target: Array, lead: int, backend: Backend) -> Array:
        """Return class indices that can be compared and picked with, once they are known to fit."""
        if library_of(target, self, "target") is not backend:
            raise TypeError(f"{self}: expected class indices in the library of the prediction, {backend.name}")
        if not self._counts_rows(prediction, target, lead):
            raise self._wrong_shape(prediction.shape[:-1], lead, target)
        self.check_values(target, prediction.shape[-1])
        return backend.indices(target)
