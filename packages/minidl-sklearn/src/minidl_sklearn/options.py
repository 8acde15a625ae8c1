"""The parameters beyond scikit-learn's: what each may be, and which go together."""

from __future__ import annotations

from typing import Any

from minidl_sklearn.callbacks import Callbacks
from minidl_sklearn.form import ACTIVATIONS, NORMALIZATIONS, Form, form_of
from minidl_sklearn.sklearn_parts import (
    CLASSIFIER_CONSTRAINTS,
    REGRESSOR_CONSTRAINTS,
    Integral,
    Interval,
    Real,
    StrOptions,
)
from minidl_sklearn.solver import OPTIMIZERS

SHARED: dict[str, Any] = {
    "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
    "solver": [StrOptions({*OPTIMIZERS, "lbfgs"})],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "normalize": [StrOptions(set(NORMALIZATIONS)), None],
    "init": [StrOptions({"he", "glorot", "lecun", "torch"}), callable, None],
    "validation_data": [tuple, list, None],
    "restart_stopping": ["boolean"],
    "schedule": [callable, None],
    "clip": [Interval(Real, 0, None, closed="neither"), None],
    "callbacks": [tuple, list, None],
    "engine": [StrOptions({"auto", "numpy", "native"}), None],
    "dtype": [StrOptions({"float32", "float64"}), None],
    "n_networks": [Interval(Integral, 1, None, closed="left")],
    "bagging": ["boolean"],
    "stopping": [StrOptions({"each", "mean"})],
    "n_jobs": [Interval(Integral, None, -1, closed="right"), Interval(Integral, 1, None, closed="left"), None],
}
OF_CLASSIFIER: dict[str, Any] = {
    **CLASSIFIER_CONSTRAINTS,
    **SHARED,
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
}
OF_REGRESSOR: dict[str, Any] = {
    **REGRESSOR_CONSTRAINTS,
    **SHARED,
    "loss": [StrOptions({"squared_error", "poisson", "huber", "absolute_error", "quantile", "gaussian"})],
    "quantiles": [Interval(Real, 0, 1, closed="neither"), "array-like", None],
    "huber_delta": [Interval(Real, 0, None, closed="neither")],
}


def check_together(estimator: Any, hidden: int) -> Form:
    """Return what stands between the layers, after checking that the parameters go together.

    Parameters
    ----------
    estimator : BaseMLP
    hidden : int
        Number of hidden layers.

    Raises
    ------
    ValueError, TypeError
        For parameters that exclude each other, that "lbfgs" cannot use, or that are not one per hidden layer.
    """
    form = form_of(hidden, estimator.activation, estimator.dropout, estimator.normalize)
    Callbacks(estimator.callbacks, validates=False)
    if estimator.schedule is not None and estimator.learning_rate != "constant":
        raise ValueError(
            f"schedule: expected learning_rate='constant' beside it, got learning_rate={estimator.learning_rate!r}"
        )
    if estimator.solver == "lbfgs":
        _check_lbfgs(estimator, form)
    return form


def _check_lbfgs(estimator: Any, form: Form) -> None:
    """Refuse what belongs to mini-batches and epochs, of which "lbfgs" has none."""
    given = {
        "dropout": any(form.dropouts),
        "normalize": form.normalize == "batch",
        "validation_data": estimator.validation_data is not None,
        "schedule": estimator.schedule is not None,
        "clip": estimator.clip is not None,
        "callbacks": bool(estimator.callbacks),
        "engine": estimator.engine == "native",
    }
    for name, there in given.items():
        if there:
            raise ValueError(
                f"{name}: expected a solver that trains by mini-batches, {', '.join(OPTIMIZERS)}, got solver='lbfgs' "
                f"with {name}={getattr(estimator, name)!r}"
            )
