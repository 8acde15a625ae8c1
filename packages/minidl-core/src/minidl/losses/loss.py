"""The base class of all losses (report, section II-C)."""

from __future__ import annotations

import copy
import inspect
import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from minidl.arrays.backend import NUMPY, Array, Backend, backend_of, describe, library_of
from minidl.arrays.checks import as_count
from minidl.arrays.settings import check_again
from minidl.losses.reduction import Reduction

_OF_ONE_CALL = frozenset({"_saved", "_narrow", "term_weight", "divisor", "total"})  # of `forward` and its `backward`
_PLAIN = frozenset({type(None), bool, int, float, str, np.ndarray, np.float32, np.float64})  # types that hold no loss


def _losses_in(value: Any) -> list[Loss]:
    """Return the losses that an attribute is, or holds in a list, a tuple or a dict."""
    if type(value) in _PLAIN:  # an abstract class takes long to say that something is no instance
        return []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    return [item for item in items if isinstance(item, Loss)]


def _with_copies(value: Any, known: dict[int, Loss]) -> Any:
    """Return an attribute with copies in place of the losses that it holds; all else as it is."""
    if not _losses_in(value):
        return value
    if isinstance(value, dict):
        return {key: _with_copies(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_with_copies(item, known) for item in value)
    return value.private_copy(known)


class Loss(Reduction, ABC):
    """Base class of losses: a value for predictions and targets, and its gradient.

    A loss of your own writes `forward` and `backward`, and calls

    - ``self.check(prediction, target, replicate_axes)`` to refuse what does not fit, which returns the backend;
    - ``self.save_for_backward(value, *needed)`` in `forward`, which returns the value, and ``self.saved()`` in
      `backward`;
    - ``self.reduce(terms, replicate_axes, weight)`` for the sum or the mean over all terms; `backward` then multiplies
      the gradient of each term by ``self.term_weight``.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
        Over all samples and features: their sum, as in the report, or their mean, as is torch's default. "batchmean" is
        the mean over the samples of the sum over everything behind the sample axis, the features above all; torch has
        the word for `KLDivLoss`. Replicates are never summed.

    Attributes
    ----------
    term_weight : float or array
        The factor of each term in the last `forward`: 1 in a sum, 1 / divisor in a mean. With weights of samples it is
        an array that broadcasts over the prediction.
    divisor : float, array of the shape of the replicate axes, or None
        The number that `reduce` divided the last sum by: 1 for a sum, the number of terms, or for "batchmean" that of
        samples. Weighted samples count as much as their weights; infinity stands for samples without any weight. None
        before the first `forward`, and always in a loss that takes its mean without `reduce`.
    total : array or None
        The last sum in float32 where the dtype is float16, in which a sum of many terms overflows.

    Raises
    ------
    ValueError
        For another reduction.
    """

    threshold: ClassVar[float] = 0.5
    """A single output above this value says class 1."""

    settings: ClassVar[tuple[str, ...]] = ()
    """The attributes that are numbers or flags, beside the reduction. A number may be an array of one per replicate."""
    takes_classes: ClassVar[bool] = False
    """Whether the targets may be class indices."""
    one_output_per_target: ClassVar[bool] = True
    """Whether predictions have the shape of the targets."""

    def __init__(self, reduction: str = "sum") -> None:
        super().__init__(reduction)
        self._saved: tuple[Any, ...] | None = None

    @abstractmethod
    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Compute the loss, and save what `backward` needs.

        Parameters
        ----------
        prediction : array, shape (*replicates, ..., feature)
        target : array
            Of the shape and dtype of `prediction`; without its replicate axes if the replicates share their targets.
        replicate_axes : int
            The number of axes in front of `prediction` that are replicates.
        weight : array, shape (sample,) or (*replicates, sample), optional
            What each sample counts, at least 0: the sum is that of the weighted terms, and the mean is divided by the
            sum of the weights. A loss of your own need not have it; `fit` then refuses weights.

        Returns
        -------
        scalar, or array of the shape of the replicate axes

        Raises
        ------
        ValueError
            If the shapes do not fit; for the mean of no elements; for a weight that is negative or not finite.
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

    def check_values(self, target: Array, features: int) -> None:
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

    def targets_are_classes(self, target: Array) -> bool:  # noqa: ARG002 - most losses do not ask
        """Whether the targets of this loss name classes, so that accuracy is reported without being asked for.

        The answer depends on the loss and the shape of the targets, never on their values.
        """
        return False

    def target_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the targets for predictions of a shape; the same for most losses."""
        return shape

    def private_copy(self, known: dict[int, Loss] | None = None) -> Self:
        """Return a copy that saves for itself, with copies of the losses inside, also in lists, tuples and dicts.

        A loss in which a method was replaced is returned itself, since the method is bound to it.

        Parameters
        ----------
        known : dict, optional
            The copies of losses by their id, so that a loss in two places has one copy.
        """
        known, attributes = {} if known is None else known, vars(self)
        if any(hasattr(type(self), name) for name, value in attributes.items() if callable(value)):
            return self
        if id(self) not in known:
            twin = known[id(self)] = copy.copy(self)
            vars(twin).update({n: _with_copies(v, known) for n, v in attributes.items() if n not in _OF_ONE_CALL})
        return known[id(self)]  # type: ignore[return-value]  # of the same class

    def still_has(self, twin: Self) -> bool:
        """Whether a private copy is what a new one would be; False where that is not plain to see."""
        mine, its = vars(self), vars(twin)
        same = (its[n] is mine[n] and type(its[n]) in _PLAIN for n in its if n not in _OF_ONE_CALL)
        return twin is not self and type(twin) is type(self) and mine.keys() == its.keys() and all(same)

    def adopt(self, twin: Self) -> None:
        """Take over what `forward` has changed in a private copy, such as a counter, beside what `backward` needs."""
        for name, value in vars(twin).items():
            mine = vars(self).get(name)
            if mine is value or name in _OF_ONE_CALL:
                continue
            inside, mine_inside = _losses_in(value), _losses_in(mine)
            if inside and len(inside) == len(mine_inside):
                for ours, theirs in zip(mine_inside, inside, strict=True):
                    ours.adopt(theirs)
            else:
                vars(self)[name] = value

    def check_settings(self) -> None:
        """Check settings of one number per replicate once more, also of losses inside: they can be changed in place.

        Raises
        ------
        ValueError
        """
        check_again(self, self.settings)
        for loss in (loss for value in vars(self).values() for loss in _losses_in(value)):
            loss.check_settings()

    def __call__(self, prediction: Array, target: Array, **options: Any) -> Array:
        """Return ``self.forward(prediction, target, **options)``."""
        return self.forward(prediction, target, **options)

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters
        settings = ((name, getattr(self, name)) for name in self.settings)
        words = [
            f", {n}={value}" for n, value in settings if n not in parameters or np.any(value != parameters[n].default)
        ]
        return f"{type(self).__name__}({self.reduction}{''.join(words)})"

    def numbers(self) -> dict[str, Any]:
        """Return the settings by name, as an engine reads them."""
        return {name: getattr(self, name) for name in self.settings}

    # ---- for subclasses

    def broadcast_setting(self, setting: Any, prediction: Array, replicate_axes: int) -> Any:
        """Return a setting, one number or one per replicate, shaped to multiply a prediction.

        Raises
        ------
        ValueError
            If there is not one for each replicate.
        """
        if not isinstance(setting, np.ndarray):
            return setting
        shape = tuple(prediction.shape[:replicate_axes])
        if setting.shape != shape:
            raise ValueError(f"{self}: expected settings of shape {shape}, one per replicate, got {setting.shape}")
        behind = prediction.ndim - replicate_axes
        return library_of(prediction, self).asarray(setting.reshape(*shape, *(1,) * behind), prediction.dtype)

    def below_ceiling(self, terms: Array, replicate_axes: int) -> Array:
        """Return terms, each at most the loss's setting `ceiling`; nan stays."""
        ceiling = self.ceiling  # type: ignore[attr-defined]  # of the losses that call this
        if type(ceiling) is float and ceiling == math.inf:
            return terms
        library = library_of(terms, self)
        return library.xp.clip(terms, None, self.broadcast_setting(ceiling, terms, replicate_axes))

    def check(self, prediction: Array, target: Array, replicate_axes: int) -> Backend:
        """Return the backend of prediction and target; raise unless the target is like the prediction.

        Raises
        ------
        ValueError, TypeError
            As `forward`.
        """
        backend = self.check_prediction(prediction, replicate_axes)
        plain = type(target) is np.ndarray and backend is NUMPY
        if not (plain or backend_of(target, self, "target") is backend) or target.dtype != prediction.dtype:
            backend_of(target, self, "target")
            raise TypeError(
                f"{self}: expected a target in the library and dtype of the prediction, {prediction.dtype} "
                f"({backend.name}), got {describe(target)}",
            )
        shape = self.target_shape(prediction.shape)
        if target.shape != shape and target.shape != shape[replicate_axes:]:
            raise self.wrong_shape(shape, replicate_axes, target)
        return backend

    def check_prediction(self, prediction: Array, replicate_axes: int) -> Backend:
        """Return the backend of a prediction; raise unless it is a floating array with a feature axis."""
        plain = type(prediction) is np.ndarray and prediction.dtype.char in "efd"
        backend = NUMPY if plain else backend_of(prediction, self, "prediction")
        if replicate_axes:
            as_count(self, "replicate_axes", replicate_axes)
        if prediction.ndim <= replicate_axes:
            raise ValueError(
                f"{self}: expected a prediction with a feature axis behind {replicate_axes} replicate axes, "
                f"got {describe(prediction)}",
            )
        return backend

    def wrong_shape(self, shape: tuple[int, ...], replicate_axes: int, target: Array) -> ValueError:
        """Return the error for a target of another shape than `shape`."""
        shared = f" or, shared by the replicates, {tuple(shape[replicate_axes:])}" if replicate_axes else ""
        expected = f"{tuple(shape)}{shared}"
        return ValueError(f"{self}: expected a target of shape {expected}, got {tuple(target.shape)}")

    def save_for_backward(self, value: Array, *needed: Any) -> Array:
        """Save what `backward` needs, which is not copied; return the value of the loss."""
        self._saved = needed
        return value

    def saved(self) -> tuple[Any, ...]:
        """Return what the last `forward` saved.

        Raises
        ------
        ValueError
            If `forward` was not called.
        """
        if self._saved is None:
            raise ValueError(f"{self}: backward before forward: call forward(prediction, target) first")
        return self._saved
