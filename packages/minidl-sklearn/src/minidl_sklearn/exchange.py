"""Networks of minidl as estimators: what `from_minidl` accepts, and what it sets."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

import minidl
from minidl_sklearn.form import ACTIVATIONS, NORMALIZATIONS, Form
from minidl_sklearn.network import Network

_NAMES = {kind: name for name, kind in (ACTIVATIONS | NORMALIZATIONS).items() if kind is not None}
_Estimator = TypeVar("_Estimator", bound=Any)


def network_of(who: str, model: minidl.Module) -> Network:
    """Return a copy of a network, as an estimator holds it.

    Parameters
    ----------
    who : str
        The class of the estimator, for errors.
    model : minidl.Sequential
        Linear layers, and behind each but the last one, in this order and each optional: a normalization (in all places
        the same), an activation, dropout.

    Raises
    ------
    TypeError
        If it is not a Sequential on NumPy.
    ValueError
        For other layers, frozen ones, or settings of layers that no parameter of an estimator has.
    """
    if type(model) is not minidl.Sequential or not isinstance(model.values, np.ndarray):
        raise TypeError(f"{who}: expected model to be a minidl.Sequential of NumPy arrays, got {model!r}")
    linear = [layer for layer in model.layers if isinstance(layer, minidl.Linear)]
    biased = [layer for layer in linear if layer.bias is not None]
    if not linear or len(biased) < len(linear) or model.replicate_shape:
        raise ValueError(f"{who}: expected a single network of Linear layers with biases, got {model!r}")
    if any(module.frozen for module in model.modules()):
        raise ValueError(
            f"{who}: expected a network whose layers are all trained, got {model!r} with frozen ones: unfreeze it"
        )
    network = Network([layer.weight.T for layer in linear], [layer.bias for layer in biased], _form(model))
    if [_description(layer) for layer in network.model.layers] != [_description(layer) for layer in model.layers]:
        raise ValueError(
            f"{who}: expected layers that its parameters describe, as in {network.model!r}, with the default settings "
            f"of each, got {model!r}"
        )
    network.model.load_state_dict(model.state_dict())
    return network


def with_one_logit(network: Network) -> Network:
    """Return a network for two classes with one output in place of two: their difference.

    A softmax over two logits is the sigmoid of that: ``exp(z1) / (exp(z0) + exp(z1)) = 1 / (1 + exp(z0 - z1))``.
    """
    (*coefs, coef), (*intercepts, intercept) = network.coefs, network.intercepts
    last = coef[:, 1:] - coef[:, :1], intercept[1:] - intercept[:1]
    return Network([*coefs, last[0]], [*intercepts, last[1]], network.form, like=network)


def hold(estimator: _Estimator, network: Network, out_activation: str) -> _Estimator:
    """Make a network that of an estimator, whose parameters and attributes are set, as if it had been trained.

    Parameters
    ----------
    estimator : BaseMLP
    network : Network
    out_activation : str

    Returns
    -------
    BaseMLP
        The estimator.

    Raises
    ------
    ValueError
        If the estimator is one of several networks.
    """
    if estimator.n_networks != 1:
        raise ValueError(
            f"{type(estimator).__name__}: expected n_networks=1 for a single network, got {estimator.n_networks}"
        )
    form = network.form
    estimator.set_params(
        hidden_layer_sizes=tuple(coef.shape[1] for coef in network.coefs[:-1]),
        activation=_single(form.activations, "identity"),
        dropout=_single(form.dropouts, 0.0),
        normalize=form.normalize,
    )
    estimator.n_features_in_ = network.coefs[0].shape[0]
    estimator._begin(network, out_activation)
    return estimator


def _form(model: minidl.Sequential) -> Form:
    """Return the form of which a network may be; whether it is, its layers show."""
    blocks: list[list[minidl.Module]] = []
    for layer in model.layers:
        if isinstance(layer, minidl.Linear):
            blocks.append([])
        elif blocks:
            blocks[-1].append(layer)
    activations, dropouts, normalize = [], [], None
    for block in blocks[:-1]:
        names = [_NAMES.get(type(layer), "") for layer in block]
        activations.append(next((name for name in names if name in ACTIVATIONS), "identity"))
        normalize = next((name for name in names if name in NORMALIZATIONS), normalize)
        dropouts.append(next((layer.p_drop for layer in block if isinstance(layer, minidl.Dropout)), 0.0))
    return Form(tuple(activations), tuple(dropouts), normalize)


def _description(layer: minidl.Module) -> Any:
    """Return all that sets the behaviour of a layer, apart from its parameters."""
    return [(spec.kind, spec.origin, spec.in_features, spec.out_features, spec.options) for spec in layer.spec()]


def _single(values: tuple[Any, ...], default: Any) -> Any:
    """Return what all values are, or a list of them; the default of none."""
    return (values or (default,))[0] if len(set(values)) < 2 else list(values)
