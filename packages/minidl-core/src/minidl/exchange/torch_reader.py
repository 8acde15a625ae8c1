"""Modules of `torch.nn` as networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minidl.arrays.backend import Backend, dtype_name, get_backend
from minidl.arrays.checks import as_generator
from minidl.exchange.building import Builder
from minidl.exchange.libraries import library
from minidl.exchange.network import LOWEST_THRESHOLD, Layer
from minidl.layers.module import Module


def from_torch(module: Any, *, backend: str | Backend | None = None, rng: Any = None) -> Module:
    """Return a module of torch.nn as a network of minidl, with copies of its parameters and statistics.

    Parameters
    ----------
    module : torch.nn.Module
        A ``torch.nn.Sequential``, which may be nested, or one layer.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional
        The library of the parameters; without it NumPy.
    rng : None, int, SeedSequence or Generator, optional
        From which dropout draws its masks.

    Returns
    -------
    Module
        A `Sequential`, or for one layer that layer, of the same dtype and in the same mode. A layer whose parameters do
        not require grad is frozen, and so is a normalization without weight and bias.

    Raises
    ------
    TypeError
        If it is no module of torch, or of another dtype than float16, float32 and float64.
    ValueError
        That names the first layer that is not known, has hooks or a `forward` that was replaced, or a setting that
        minidl does not have; for parameters of several dtypes.
    ImportError
        If torch is not installed.

    Notes
    -----
    torch's ``Softplus`` is x itself above a threshold, 20 by default. minidl computes the formula everywhere, so that
    outputs in float64 differ by up to ``2e-9 / beta`` there. Thresholds below 20 are refused.
    """
    torch = library("from_torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch: expected a module of torch.nn, got {module!r}")
    chosen, generator = get_backend(backend, "from_torch"), as_generator("from_torch", rng)
    _refuse_shared(module)
    layer = _read(torch.nn, module, "")
    dtype = _dtype_of(module)
    chosen.dtype(dtype, "from_torch")
    builder = Builder({"dtype": dtype, "backend": chosen}, generator)
    return builder.build(layer).train(module.training)


def _dtype_of(module: Any) -> str:
    """Return the dtype of all parameters and statistics; float32 where there are none."""
    found = {
        dtype_name(tensor.dtype): name for name, tensor in module.state_dict().items() if tensor.is_floating_point()
    }
    if len(found) > 1:
        words = ", ".join(f"{name} in {dtype}" for dtype, name in found.items())
        raise ValueError(f"from_torch: expected parameters of one dtype, got {words}")
    return next(iter(found), "float32")


def _linear(x: Any) -> Layer:
    return Layer("Linear", in_features=x.in_features, out_features=x.out_features)


def _layer_norm(x: Any) -> Layer:
    (width,) = x.normalized_shape if len(x.normalized_shape) == 1 else (None,)
    if width is None:
        raise ValueError(f"it normalizes over the shape {tuple(x.normalized_shape)}, minidl's over the last axis")
    _refuse_half(x)
    return Layer("LayerNorm", in_features=width, options={"eps": x.eps})


def _refuse_half(x: Any) -> None:
    if x.weight is not None and x.bias is None:
        raise ValueError("it has a weight and no bias")


def _batch_norm(x: Any) -> Layer:
    _refuse_half(x)
    if not x.track_running_stats or x.running_mean is None:
        raise ValueError("it has no running statistics")
    if x.momentum is None:
        raise ValueError("its momentum is None, a plain mean over all batches")
    return Layer("BatchNorm1d", in_features=x.num_features, options={"eps": x.eps, "momentum": x.momentum})


def _softplus(x: Any) -> Layer:
    if x.threshold < LOWEST_THRESHOLD:
        raise ValueError(f"its threshold is {x.threshold}, and minidl's computes the formula everywhere")
    return Layer("Softplus", options={"beta": float(x.beta)})


FROM_TORCH: dict[str, Callable[[Any], Layer]] = {
    "Linear": _linear,
    "LayerNorm": _layer_norm,
    "BatchNorm1d": _batch_norm,
    "Softplus": _softplus,
    "Dropout": lambda x: Layer("Dropout", options={"p_drop": x.p}),
    "LeakyReLU": lambda x: Layer("LeakyReLU", options={"alpha": x.negative_slope}),
    "ELU": lambda x: Layer("ELU", options={"alpha": x.alpha}),
    "GELU": lambda x: Layer("GELU", options={"approximate": x.approximate}),
    "ReLU": lambda _: Layer("ReLU"),
    "Tanh": lambda _: Layer("Tanh"),
    "Sigmoid": lambda _: Layer("Sigmoid"),
    "SiLU": lambda _: Layer("SiLU"),
    "Identity": lambda _: Layer("Identity"),
}


def _read(nn: Any, module: Any, path: str) -> Layer:
    """Return a module of torch as a layer; a Sequential has one chain inside."""
    words = f"from_torch: layer {path}: " if path else "from_torch: "
    name = type(module).__name__
    if type(module) is not getattr(nn, name, None) or name not in {*FROM_TORCH, "Sequential"}:
        raise ValueError(f"{words}{module!r} is no layer that minidl has")
    if any(vars(module)[hooks] for hooks in ("_forward_hooks", "_forward_pre_hooks")):
        raise ValueError(f"{words}{module!r} has hooks, which may change what it computes")
    if "forward" in vars(module):
        raise ValueError(f"{words}{module!r} has a forward that was replaced, which may compute anything")
    if name == "Sequential":
        children = [_read(nn, child, f"{path}.{own}".lstrip(".")) for own, child in enumerate(module)]
        return Layer("Sequential", path, inside=(tuple(children),))
    try:
        layer = FROM_TORCH[name](module)
    except ValueError as error:
        raise ValueError(f"{words}{module!r} is no layer that minidl has: {error}") from None
    return _with_numbers(layer, module, path)


def _with_numbers(layer: Layer, module: Any, path: str) -> Layer:
    """Return a layer with its parameters and statistics; a normalization without them has ones and zeros, frozen."""
    arrays = dict(module.state_dict())
    if layer.kind in ("LayerNorm", "BatchNorm1d") and module.weight is None:
        like = arrays.get("running_var")
        arrays |= {} if like is None else {"weight": like.new_ones(like.shape), "bias": like.new_zeros(like.shape)}
    parameters = list(module.parameters())
    frozen = not any(parameter.requires_grad for parameter in parameters) and layer.in_features is not None
    return Layer(layer.kind, path, layer.in_features, layer.out_features, layer.options, arrays, frozen=frozen)


def _refuse_shared(module: Any) -> None:
    """Refuse parameters that stand in two places: here each place has its own."""
    names: dict[int, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if (first := names.setdefault(id(parameter), name)) != name:
            raise ValueError(
                f"from_torch: {name} is the same parameter as {first}: here each layer has parameters of its own"
            )
