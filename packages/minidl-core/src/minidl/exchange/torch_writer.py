"""Networks as modules of `torch.nn`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from minidl.arrays.backend import dtype_name, get_backend
from minidl.exchange.libraries import library
from minidl.exchange.network import Layer, layers_of
from minidl.layers.module import Module

# torch's softplus is x itself where beta x is above a threshold. There log(1 + exp(-beta x)) is below half an ulp of x,
# also in float64.
THRESHOLD = 40.0

TO_TORCH: dict[str, Callable[[Any, Layer], Any]] = {
    "Linear": lambda nn, x: nn.Linear(x.in_features, x.out_features, bias="bias" in x.arrays),
    "LayerNorm": lambda nn, x: nn.LayerNorm(x.in_features, **x.options),
    "BatchNorm1d": lambda nn, x: nn.BatchNorm1d(x.in_features, **x.options),
    "Dropout": lambda nn, x: nn.Dropout(x.options["p_drop"]),
    "LeakyReLU": lambda nn, x: nn.LeakyReLU(x.options["alpha"]),
    "ELU": lambda nn, x: nn.ELU(x.options["alpha"]),
    "GELU": lambda nn, x: nn.GELU(**x.options),
    "Softplus": lambda nn, x: nn.Softplus(x.options["beta"], THRESHOLD),
    "ReLU": lambda nn, _: nn.ReLU(),
    "Tanh": lambda nn, _: nn.Tanh(),
    "Sigmoid": lambda nn, _: nn.Sigmoid(),
    "SiLU": lambda nn, _: nn.SiLU(),
    "Identity": lambda nn, _: nn.Identity(),
}


def to_torch(model: Module) -> Any:
    """Return a network as a module of torch.nn with copies of its parameters and statistics.

    Parameters
    ----------
    model : Module
        A single network of layers that torch.nn has; it has none for `Residual` and `Concat`.

    Returns
    -------
    torch.nn.Module
        A ``torch.nn.Sequential``, or for a single layer that layer, of the same dtype, with the same names in its state
        dict and in the same mode. Tensors stay on their device. Frozen parameters do not require grad; learning rates
        of layers are left out.

    Raises
    ------
    ValueError
        For replicates; for the first layer that torch.nn does not have.
    ImportError
        If torch is not installed.

    Examples
    --------
    >>> import minidl
    >>> model = minidl.Sequential([minidl.Linear(2, 25), minidl.ReLU(), minidl.Linear(25, 2)])
    >>> minidl.to_torch(model)  # doctest: +SKIP
    Sequential(
      (0): Linear(in_features=2, out_features=25, bias=True)
      (1): ReLU()
      (2): Linear(in_features=25, out_features=2, bias=True)
    )
    """
    layers = layers_of("to_torch", model, TO_TORCH)
    torch = library("to_torch", "torch")
    name = dtype_name(model.dtype)
    device = model.backend.name.partition(":")[2] or "cpu"
    with torch.device("meta"):  # there no initial values are drawn
        module = _make(torch.nn, layers, 0)
    module = module.to(getattr(torch, name)).to_empty(device=device)
    asarray = get_backend(f"torch:{device}").asarray
    module.load_state_dict({name: asarray(array) for name, array in model.state_dict().items()})
    frozen = {f"{layer.path}.{own}".lstrip(".") for layer in layers if layer.frozen for own in layer.arrays}
    for own, parameter in module.named_parameters():
        parameter.requires_grad_(own not in frozen)
    return module.train(model.training)


def _make(nn: Any, layers: Sequence[Layer], depth: int) -> Any:
    """Return the layers as a Sequential, with those whose paths go on in a nested one; a lone layer by itself."""
    if [layer.path for layer in layers] == [""]:
        return TO_TORCH[layers[0].kind](nn, layers[0])
    inside = OrderedDict()
    for name, group in groupby(layers, lambda layer: layer.path.split(".")[depth]):
        first, *rest = group
        nested = first.path.count(".") > depth
        inside[name] = _make(nn, [first, *rest], depth + 1) if nested else TO_TORCH[first.kind](nn, first)
    return nn.Sequential(inside)
