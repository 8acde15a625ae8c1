"""The network behind an estimator, or the networks, and what they predict."""

from __future__ import annotations

import copy
import os
from abc import ABC, abstractmethod
from operator import is_
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import minidl
from minidl_sklearn.form import form_of
from minidl_sklearn.inputs import check_samples
from minidl_sklearn.network import Network, check_parameters

_LAST = {"softmax": "softmax", "logistic": "sigmoid", "identity": None}
"""What files of ONNX and C compute last, by the output activation."""


class Holder(BaseEstimator, ABC):
    """Base class of what holds a network with its ``coefs_`` and ``intercepts_``, or ``networks_``, a list of such."""

    activation: Any
    dropout: Any
    normalize: Any
    engine: Any
    out_activation_: str

    @abstractmethod
    def _pool(self, zs: np.ndarray) -> np.ndarray:
        """Return the outputs, in front of their activation, that stand for those of several networks, (R, n, n_out)."""

    def to_minidl(self) -> minidl.Sequential:
        """Return a copy of the network, in evaluation mode; of several networks one with a replicate for each.

        Its outputs are those in front of the output activation `out_activation_`: logits of classes or labels,
        predictions, or logarithms of predicted counts.

        Returns
        -------
        minidl.Sequential
        """
        if self._has_networks():
            copies = iter([network.to_minidl() for network in self.networks_])
            return cast("minidl.Sequential", minidl.replicate(lambda _rng: next(copies), range(len(self.networks_))))
        check_is_fitted(self, "coefs_")
        model = copy.deepcopy(self._network().model)
        model.eval()
        return model

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a file, in the format that the end of its name says.

        ``.safetensors`` is the network of `to_minidl`, for `minidl.load`. ``.onnx`` and ``.c`` compute what
        `predict_proba` or `predict` of a regressor does, of several networks each its own, ``(R, n_samples,
        n_outputs)``; for two classes the probability of the second. The names of the classes are not in the file.

        Parameters
        ----------
        path : str or path
            An old file is replaced in one step.

        Raises
        ------
        ValueError
            For another end of the name; for ``.onnx`` and ``.c`` of ``loss="poisson"``, whose predictions are
            exponentials of the outputs; for ``.c`` of several networks.
        ImportError
            For ``.onnx`` without the package onnx, which the extra ``minidl-core[onnx]`` brings.
        OSError
            If the file cannot be written.
        """
        model, suffix, who = self.to_minidl(), Path(path).suffix.lower(), type(self).__name__
        if suffix == ".safetensors":
            minidl.save(model, path)
            return
        if suffix not in (".onnx", ".c"):
            raise ValueError(f"{who}: expected a file name that ends in .safetensors, .onnx or .c, got {path}")
        activation = self.out_activation_
        if activation not in _LAST:
            raise ValueError(f"{who}: expected a loss without logarithms of predictions for {suffix}, got {activation}")
        (minidl.to_onnx if suffix == ".onnx" else minidl.to_c)(model, path, output=_LAST[activation])

    def _has_networks(self) -> bool:
        """Whether the last training was one of several networks."""
        return "networks_" in self.__dict__

    def _forget(self) -> None:
        """Forget the network, or the networks, of a training before this first one, which may be of another kind."""
        for name in ("networks_", "networks_samples_", "mean_scores_", "_held", "coefs_", "intercepts_", "_optimizer"):
            self.__dict__.pop(name, None)

    def _hold(self, network: Network) -> None:
        """Make a network this estimator's; the lists are copies, in which somebody may replace an array."""
        self._held = network
        self.coefs_, self.intercepts_ = list(network.coefs), list(network.intercepts)

    def _network(self) -> Network:
        """Return the network of ``coefs_`` and ``intercepts_``, in which somebody may have replaced arrays."""
        held: Network | None = self.__dict__.get("_held")
        given = (self.activation, self.dropout, self.normalize)
        if held is not None and all(map(is_, held.given, given)) and held.is_of(self.coefs_, self.intercepts_):
            return held
        check_parameters(type(self).__name__, self.coefs_, self.intercepts_)
        form = form_of(len(self.coefs_) - 1, *given)
        if held is not None and held.form == form and held.fits(self.coefs_, self.intercepts_):
            held.copy_from(self.coefs_, self.intercepts_)
        else:
            held = Network(self.coefs_, self.intercepts_, form, like=held)
        held.given = given
        self._hold(held)
        return held

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the outputs of the network for samples, in front of their activation."""
        if self._has_networks():
            return self._pool(self._outputs_of_each(X))
        if "coefs_" not in self.__dict__:
            check_is_fitted(self, "coefs_")
        network = self._network()
        return np.asarray(minidl.predict(network.model, check_samples(self, X, network.dtype), engine=self.engine))

    def _outputs_of_each(self, X: Any) -> np.ndarray:
        """Return the outputs of several networks, (R, n_samples, n_outputs)."""
        networks = [one._network() for one in self.networks_]
        x = check_samples(self, X, networks[0].dtype)
        return np.stack([minidl.predict(network.model, x, engine=self.engine) for network in networks])

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; the network's own weights are in it once."""
        state: dict[str, Any] = dict(super().__getstate__())
        held, own = state.get("_held"), (state.get("coefs_"), state.get("intercepts_"))
        if None in own:  # somebody has deleted them
            state.pop("_held", None)
        elif held is not None and held.is_of(*own):
            del state["coefs_"], state["intercepts_"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "coefs_" not in state and "_held" in state:
            self._hold(self._held)
