"""The base class of all optimizers (report, section II-D): computes a step from the gradient."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import ABOVE_ZERO, FINITE, NON_NEGATIVE
from minidl.arrays.settings import check_again, count, flag, number
from minidl.layers.module import Module
from minidl.optim.exchange import Exchange
from minidl.optim.rates import power, rate, rate_at, rates_at, refuse_beside_eta, refuse_beside_lr, words_of


class Optimizer(Exchange, ABC):
    """Base class of optimizers: computes a step from the gradient.

    An optimizer works on the model's one vector of values and one of gradients, whatever its layers are. Every setting
    is a number, or an array with one number per replicate.

    Parameters
    ----------
    model : Module
        With at least one parameter.
    lr : float, array of shape replicate_shape, or schedule, optional
        Learning rate. A schedule is a function of the step t = 1, 2, ..., such as a `CosineSchedule` or a function of
        your own, that returns one number, or one per replicate. It may be asked for many steps ahead.
    kappa, eta : float or array of shape replicate_shape, optional
        Both, instead of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13).
    weight_decay : float or array of shape replicate_shape
        Weight decay times the parameters is added to the gradient.
    clip : float or array of shape replicate_shape, optional
        A gradient whose norm, over all parameters that are trained, is larger than this number is scaled down to it,
        before weight decay is added. None, or infinity, leaves every gradient as it is.
    decay_biases : bool
        Whether weight decay acts on parameters with fewer than two axes, such as biases and scales, too.

    Attributes
    ----------
    settings : tuple of str
        The attributes that are numbers or flags, beside the learning rate.
    vectors : tuple of str
        The attributes that are vectors laid out as the parameters.
    spelling : Spelling
        What torch calls them in its state dicts; see `state_dict`.
    t : int
        Number of steps made.

    Raises
    ------
    ValueError
        If the model has no parameters; for a negative rate or decay; for a clip that is not above 0; if only one of
        kappa and eta is given, or `lr` beside them. At a step: for a schedule that gives no learning rate, or a model
        of which nothing is trained.
    TypeError
        If `model` is not a Module, or a setting not a number.
    """

    settings: ClassVar[tuple[str, ...]] = ("weight_decay", "clip", "decay_biases")
    vectors: ClassVar[tuple[str, ...]] = ()
    lr = rate(
        "lr",
        "Learning rate, or a schedule of it; None for kappa and eta, or for the layers' own rates.",
        check=refuse_beside_eta,
    )
    kappa = number(
        "kappa", FINITE, "Exponent of the decaying learning rate, or None.", optional=True, check=refuse_beside_lr
    )
    eta = number("eta", NON_NEGATIVE, "Factor of the decaying rate, or None.", optional=True, check=refuse_beside_lr)
    weight_decay = number("weight_decay", NON_NEGATIVE, "Weight decay times the parameters is added to the gradient.")
    clip = number(
        "clip", ABOVE_ZERO, "Largest norm of a gradient; a number, one per replicate, or None.", optional=True
    )
    decay_biases = flag("decay_biases", "Whether weight decay acts on parameters with fewer than two axes.")
    t = count("t", "Number of steps made.")
    _t: int
    replicate_shape = property(attrgetter("model.replicate_shape"), doc="The shape of the model's replicate axes.")

    def __init__(
        self,
        model: Module,
        lr: Any = None,
        *,
        kappa: Any = None,
        eta: Any = None,
        weight_decay: Any = 0.0,
        clip: Any = None,
        decay_biases: bool = True,
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"{type(self).__name__}: expected a Module, got {type(model).__name__}")
        if not model.values.shape[-1]:
            raise ValueError(f"{type(self).__name__}: expected a model with parameters, got {model} with none")
        if (kappa is None) != (eta is None):
            raise ValueError(f"{type(self).__name__}: expected kappa and eta both or neither, got {kappa=}, {eta=}")
        if lr is not None and kappa is not None:
            raise ValueError(f"{type(self).__name__}: expected lr, or kappa and eta, got {lr=}, {kappa=}, {eta=}")
        self.model = model
        self.kappa, self.eta = kappa, eta
        self.lr = lr
        self._refuse_own_rates(model.modules())
        self.weight_decay = weight_decay
        self.clip, self.decay_biases = clip, decay_biases
        self.t = 0

    @abstractmethod
    def step(self) -> None:
        """Change the parameters by the gradients that `backward` has added up, and set those to zero."""

    def adaptive_lr(self) -> Iterator[Any]:
        """Yield the learning rates of steps t = 1, 2, ...: ``eta * t**-kappa`` (eq. 13), the schedule's, or `lr`."""
        return (self._rate(t) for t in itertools.count(1))

    def next_rate(self) -> Any:
        """Return the learning rate of the next step, None for each layer's own.

        Raises
        ------
        ValueError, TypeError
            If there is none, or if all parameters are frozen. `step` asks before it changes anything.
        """
        if self.model.frozen:
            raise ValueError(
                f"{type(self).__name__}: expected parameters to train, got {self.model} with all of them frozen: "
                "unfreeze a layer"
            )
        rate = self._rate(self.t + 1)
        if rate is None:
            self.model.check_rates()
        return rate

    def check_for(self, who: str, model: Module, modules: Sequence[Module]) -> None:
        """Raise unless the optimizer can make steps of a model; part of `fit` and `train_step`.

        Parameters
        ----------
        who : str
            The function in whose name errors are raised.
        model : Module
        modules : sequence of Module
            The model and the modules below it.

        Raises
        ------
        ValueError
            If the optimizer was made for another model, there is no learning rate, all parameters are frozen, or a
            layer has a learning rate of its own that the optimizer's would override; if a setting per replicate was
            changed in place to a number that it may not be.
        """
        if self.model is not model:
            raise ValueError(f"{who}: expected an optimizer of this model, {model}, got one of another, {self.model}")
        if self.replicate_shape:
            check_again(self, ("lr", "kappa", "eta", *self.settings))
            for module in modules:
                check_again(module, module.settings)
        self.next_rate()
        self._refuse_own_rates(modules)

    def _refuse_own_rates(self, modules: Iterable[Module]) -> None:
        if self.lr is None and self.eta is None:
            return
        for module in modules:
            if module.lr is not None and module.values.shape[-1]:
                raise ValueError(
                    f"{type(self).__name__}: expected layers without learning rates of their own, got {module}: give "
                    "the optimizer lr=None, so that each layer uses its own, or the layer lr=None"
                )

    def next_rates(self, steps: int) -> np.ndarray | None:
        """Return the learning rates of the next steps, (steps,) or (steps, *replicate_shape); None for layers' own."""
        rate, schedule = self.next_rate(), self._schedule()
        if schedule is not None:
            steps_ahead = range(self.t + 1, self.t + 1 + steps)
            return rates_at(type(self).__name__, schedule, steps_ahead, self.model.replicate_shape)
        if type(rate) is float:
            return np.full(steps, rate)
        return None if rate is None else np.broadcast_to(rate, (steps, *rate.shape))

    def __repr__(self) -> str:
        settings = [("lr", words_of(self.lr) if callable(self.lr) else self.lr)]
        settings += ((name, getattr(self, name)) for name in ("kappa", "eta", *self.settings))
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in settings if value is not None)})"

    # ---- for subclasses

    def gradient(self) -> Array:
        """Return the gradient, clipped, plus weight decay times the parameters; for reading only."""
        return self.plus_decay(self.clipped_gradient())

    def clipped_gradient(self) -> Array:
        """Return the gradient times ``min(1, clip / (norm + 1e-6))``; for reading only.

        The norm is that of all parameters that are trained, one for each replicate. The 1e-6 is torch's.
        """
        gradient = self.model.grads_to_read
        if self.clip is None:
            return gradient
        factor = np.minimum(1.0, self.clip / (self._norm_of(gradient) + 1e-6))
        return gradient * self.model.broadcast_setting(factor if factor.ndim else float(factor))

    def plus_decay(self, vector: Array) -> Array:
        """Return a vector plus weight decay times the parameters; for reading only."""
        if type(self.weight_decay) is float and self.weight_decay == 0:
            return vector
        decay, values = self.model.broadcast_setting(self.weight_decay), self.model.values
        if self.decay_biases:
            return vector + decay * values
        decayed = vector * 1
        for part in self.model.ranges(least_axes=2):
            decayed[..., part] += decay * values[..., part]
        return decayed

    def _norm_of(self, gradient: Array) -> np.ndarray:
        """Return the norm of what is trained, for each replicate, in float64."""
        return np.asarray(np.sqrt(self.model.sum_of_squares(gradient)))

    def _schedule(self) -> Callable[[int], Any] | None:
        """Return the learning rate as a function of the step; None where it is fixed."""
        if self.eta is not None:
            return self._decaying
        return self.lr if callable(self.lr) else None

    def _decaying(self, t: int) -> Any:
        if self.kappa is None:
            raise ValueError(f"{type(self).__name__}: expected kappa and eta both or neither, got {self!r}")
        return self.eta * power(float(t), -self.kappa)

    def _rate(self, t: int) -> Any:
        if type(self.lr) is float:  # what a small step should not wait for
            return self.lr
        schedule = self._schedule()
        if schedule is None:
            return self.lr
        return rate_at(type(self).__name__, schedule, t, self.model.replicate_shape)
