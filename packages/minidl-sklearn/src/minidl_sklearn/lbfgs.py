"""Training with the solver "lbfgs": SciPy's L-BFGS-B on all samples at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from minidl_sklearn.criterion import Criterion
from minidl_sklearn.network import Network
from minidl_sklearn.sklearn_parts import count_iterations


class Objective:
    """The loss of all samples and its gradient, as functions of one vector.

    The vector has scikit-learn's order, all weights and then all biases, so that SciPy adds up the same numbers in the
    same order. The parameters of normalization come last.

    Parameters
    ----------
    network : Network
        Of float64.
    criterion : Criterion
    x, y : array
    weight : array, shape (n_samples,), or None
    alpha : float

    Attributes
    ----------
    network : Network
    """

    def __init__(
        self, network: Network, criterion: Criterion, x: np.ndarray, y: np.ndarray, weight: Any, alpha: float
    ) -> None:
        self.network, self._criterion = network, criterion
        self._x, self._y, self._weight, self._alpha = x, y, weight, alpha
        self._mass = len(x) if weight is None else weight.sum()
        self._constant = criterion.constant(y, weight)
        places = Network(network.coefs, network.intercepts, network.form)
        places.model.values[...] = np.arange(places.model.values.size)
        norms = [norm.values for norm in places.norms]
        self._places = np.concatenate([a.ravel() for a in (*places.coefs, *places.intercepts, *norms)]).astype(int)
        self._weights = sum(coef.size for coef in places.coefs)  # how many there are in front of the biases

    def start(self) -> np.ndarray:
        """Return the vector of the network as it is."""
        return np.asarray(self.network.model.values[self._places])

    def set(self, vector: np.ndarray) -> None:
        """Set the parameters of the network."""
        self.network.model.values[self._places] = vector

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient: ``L + alpha/2 Σ W² / n`` and ``dL/dW + alpha W / n``."""
        model, divisor = self.network.model, self._criterion.outputs
        self.set(vector)
        model.zero_grad()
        value = self._criterion.forward(model.forward(self._x), self._y, self._weight)
        model.backward(self._criterion.loss.backward(), need_dx=False)
        gradient, weights = model.grads[self._places], vector[: self._weights]
        gradient[: self._weights] += self._alpha / self._mass * weights
        penalty = 0.5 * self._alpha * float(weights @ weights) / self._mass
        return (value + self._constant) / divisor + penalty, gradient


def fit_lbfgs(estimator: Any, network: Network, x: np.ndarray, y: np.ndarray, weight: Any) -> None:
    """Train the network of an estimator.

    Parameters
    ----------
    estimator : BaseMLP
        Whose attributes are set.
    network : Network
        Of float64: line searches need its digits.
    x, y : array
        Samples, and their targets as the estimator encodes them.
    weight : array, shape (n_samples,), or None
    """
    target = estimator._as_target(y, network.dtype)
    criterion = Criterion(estimator, network.dtype, target)
    objective = Objective(network, criterion, x, target, weight, float(estimator.alpha))
    options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    result = minimize(objective, objective.start(), method="L-BFGS-B", jac=True, options=options)
    objective.set(result.x)
    estimator.n_iter_ = count_iterations("lbfgs", result, estimator.max_iter)
    estimator.loss_, estimator.engine_ = result.fun, "numpy (lbfgs is SciPy's)"
