"""Adam and SGD of minidl with scikit-learn's rules for the learning rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minidl

SMALLEST_RATE = 1e-6  # an adaptive learning rate that is no larger ends the training


class Solver:
    """An optimizer and the rule by which its learning rate changes between epochs.

    Parameters
    ----------
    optimizer : minidl.Optimizer
    schedule : {"constant", "invscaling", "adaptive"}
    power_t : float
        The exponent of "invscaling".

    Attributes
    ----------
    optimizer : minidl.Optimizer
    engine : tuple of (tuple, str), or None
        What was asked for of which replicates, and the engine that runs the steps, in words; None before the first one.
    """

    engine: tuple[tuple[Any, ...], str] | None = None

    def __init__(self, optimizer: minidl.Optimizer, schedule: str = "constant", power_t: float = 0.5) -> None:
        self.optimizer = optimizer
        self._schedule, self._power_t, self._first_rate = schedule, power_t, optimizer.lr

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.lr)

    def goes_on_with(self, model: minidl.Module) -> bool:
        """Whether the next steps can be those of a model: the one before, or another with its layout of parameters.

        Another activation or dropout makes a new network. The memory of the optimizer fits its parameters all the same.
        """
        if self.optimizer.model is not model:
            if _layout(self.optimizer.model) != _layout(model):
                return False
            self.optimizer.model, self.engine = model, None
        return True

    def engine_of_steps(
        self, asked: Any, optimizer: minidl.Optimizer, loss: minidl.Loss, x: np.ndarray, y: np.ndarray
    ) -> str:
        """Return which engine runs single steps, in words: that of a training of no epochs, asked once for all steps.

        Parameters
        ----------
        asked : {"auto", "numpy", "native"} or None
            The parameter `engine`.
        optimizer : minidl.Optimizer
            That of this solver, or that of several networks that are trained at once.
        loss : minidl.Loss
        x, y : array
            Samples and targets.
        """
        key, few = (asked, optimizer.model.replicate_shape), slice(0, 2)
        if self.engine is None or self.engine[0] != key:
            history = minidl.fit(
                optimizer.model, loss, optimizer, x[few], y[few], epochs=0, batch_size=2, accuracy=False, engine=asked
            )
            self.engine = key, history.engine
        return self.engine[1]

    @property
    def changes_each_epoch(self) -> bool:
        """Whether the learning rate changes after each epoch."""
        return self._schedule == "invscaling"

    def end_epoch(self, samples_seen: int) -> None:
        """Set the learning rate for the next epoch."""
        if self.changes_each_epoch:
            change_rate(self.optimizer, self._first_rate / (samples_seen + 1) ** self._power_t)

    def stops(self, why: str, *, verbose: Any) -> bool:
        """Whether the training ends now that it does not improve; an adaptive learning rate is divided by 5 first.

        Parameters
        ----------
        why : str
            What did not improve, for the line that is printed.
        verbose : bool or int
        """
        stops = self._schedule != "adaptive" or self.learning_rate <= SMALLEST_RATE
        if not stops:
            change_rate(self.optimizer, self.learning_rate / 5.0)
            what = f" Setting learning rate to {self.learning_rate:f}"
        else:
            what = " Learning rate too small. Stopping." if self._schedule == "adaptive" else " Stopping."
        if verbose:
            print(why + what)  # noqa: T201 - what `verbose` asks for
        return stops


def change_rate(optimizer: minidl.Optimizer, rate: Any) -> None:
    """Set the learning rate, a number or one per replicate, and keep the next step's momentum.

    scikit-learn's velocity is that of the parameters, the learning rate times the optimizer's: u = -lr v. It stays
    the same when v is multiplied by the old rate and divided by the new one.
    """
    velocity = getattr(optimizer, "velocity", None)
    if velocity is not None:
        velocity *= np.asarray(np.divide(optimizer.lr, rate), velocity.dtype)[..., None]
    optimizer.lr = rate


def new_solver(estimator: Any, model: minidl.Module) -> Solver:
    """Return the solver that the parameters of an estimator ask for."""
    rate = float(estimator.learning_rate_init) if estimator.schedule is None else estimator.schedule
    schedule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
    return Solver(OPTIMIZERS[estimator.solver](estimator, model, rate), schedule, float(estimator.power_t))


def _new_adam(estimator: Any, model: minidl.Module, rate: Any) -> minidl.Optimizer:
    return minidl.Adam(model, rate, **_moments(estimator), clip=estimator.clip)


def _new_adamw(estimator: Any, model: minidl.Module, rate: Any) -> minidl.Optimizer:
    """Return AdamW, for which `alpha` is the decay of the weights and no part of the loss."""
    return minidl.AdamW(
        model, rate, **_moments(estimator), weight_decay=float(estimator.alpha), decay_biases=False, clip=estimator.clip
    )


def _new_rmsprop(estimator: Any, model: minidl.Module, rate: Any) -> minidl.Optimizer:
    beta, eps = float(estimator.beta_2), float(estimator.epsilon)
    return minidl.RMSprop(model, rate, alpha=beta, eps=eps, clip=estimator.clip)


def _new_sgd(estimator: Any, model: minidl.Module, rate: Any) -> minidl.Optimizer:
    # scikit-learn allows a momentum of 1, minidl the number before it
    momentum = min(float(estimator.momentum), math.nextafter(1.0, 0.0))
    nesterov = bool(estimator.nesterovs_momentum and momentum)
    return minidl.SGD(model, rate, momentum=momentum, nesterov=nesterov, clip=estimator.clip)


def _moments(estimator: Any) -> dict[str, Any]:
    beta1, beta2, eps = float(estimator.beta_1), float(estimator.beta_2), float(estimator.epsilon)
    return {"beta1": beta1, "beta2": beta2, "eps": eps, "eps_hat": True}


OPTIMIZERS = {"adam": _new_adam, "sgd": _new_sgd, "adamw": _new_adamw, "rmsprop": _new_rmsprop}


def penalty_of(estimator: Any) -> float:
    """Return the strength of the L2 penalty in the loss."""
    return 0.0 if estimator.solver == "adamw" else float(estimator.alpha)


def _layout(model: minidl.Module) -> Any:
    """Return what the vector of a network holds: the layers with parameters, in order, and the dtype."""
    return [str(layer) for layer in model.modules() if layer is not model and layer.values.size], model.values.dtype
