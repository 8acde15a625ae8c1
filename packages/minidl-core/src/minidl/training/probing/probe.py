"""Measure what happens inside a network."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array, backend_of
from minidl.arrays.checks import check_kinds
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.batches import batch_rows
from minidl.training.check_samples import check_samples
from minidl.training.numpy_engine import NumpyEngine
from minidl.training.probing.gradients import after_step, norms, relative_change, with_gradient
from minidl.training.probing.outputs import measure_outputs
from minidl.training.probing.result import LayerProbe, Probe


def probe(
    model: Module,
    x: Array,
    y: Array | None = None,
    loss: Loss | None = None,
    *,
    optimizer: Optimizer | None = None,
    batch_size: int | None = None,
) -> Probe:
    """Measure the outputs of each layer, and with targets the gradient and the next step of each parameter.

    Everything is computed in evaluation mode. The model, its gradients, the loss and the optimizer stay as they are,
    and nothing is drawn. Without targets nothing is copied, and many threads may probe a model at once, as with
    `predict`.

    An activation passes dy times its derivative on. An output is **saturated** where the derivative is below 5 % of the
    largest one: where a sigmoid or a tanh is flat, and where a ReLU is 0. A unit is **dead** if that is so for all
    samples: no sample can change the weights before it. Activations without flat parts, such as `LeakyReLU`, have
    neither number.

    Parameters
    ----------
    model : Module
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*replicate_shape, N, ..., F)
    y : array, optional
        Targets that suit the loss.
    loss : Loss, optional
        Together with y: measure the norm of its gradient over all samples, for each parameter, also for frozen ones.
    optimizer : Optimizer, optional
        Beside y and loss: measure its next step by this gradient. ``"update"`` is the norm of the change of a parameter
        over the norm of the parameter, nan if that is 0. A training with about 1e-3 for weights is usual.
    batch_size : int, optional
        Samples at a time; without it as many as are fast.

    Returns
    -------
    Probe

    Raises
    ------
    ValueError, TypeError
        If only one of y and loss is given, or an optimizer without them; for an optimizer of another model, and
        whatever model and loss do not accept.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> rng = np.random.default_rng(0)
    >>> model = minidl.Sequential([minidl.Linear(2, 50, rng=rng), minidl.ReLU(), minidl.Linear(50, 1, rng=rng)])
    >>> model[0].bias = np.repeat(np.float32([0, -9]), 25)  # half of the units never see a positive number
    >>> x = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    >>> found = minidl.probe(model, x, x[:, :1], minidl.MSELoss("mean"), optimizer=minidl.SGD(model, lr=0.01))
    >>> found["1"].outputs["dead"]
    0.5
    >>> print(found)
    layer                        mean     spread  saturated       dead
    0      Linear(2 -> 50)      -4.49       4.58
    1      ReLU                 0.143      0.363     74.8 %     50.0 %
    2      Linear(50 -> 1)    -0.0412      0.128
    parameter                    norm   gradient     update
    0.weight                     9.66      0.314   0.000326
    0.bias                         45       0.34   7.56e-05
    2.weight                     1.34       1.89     0.0141
    2.bias                          0      0.167        nan
    """
    check_kinds("probe", ("model", model, Module))
    samples = check_probe(model, x, y, loss, optimizer)
    return look(model, samples, loss, optimizer, batch_rows("probe", model, batch_size, samples.x, samples.x_axis))


def look(
    model: Module,
    samples: Samples,
    loss: Loss | None,
    optimizer: Optimizer | None,
    batch_size: int,
    before: dict[str, Array] | None = None,
) -> Probe:
    """Probe a model with samples that have been checked.

    Parameters
    ----------
    model, samples, loss, optimizer, batch_size
        As for `probe`.
    before : dict of str to array, optional
        Parameters from which ``"change"`` is measured.
    """
    values = dict(model.named_parameters())
    measured = {"norm": norms(model, values)}
    if loss is not None:
        twin = with_gradient(model, loss, samples, batch_size)
        measured["gradient"] = norms(model, dict(twin.named_gradients()))
        if optimizer is not None:
            stepped = dict(after_step(optimizer, twin.grads).named_parameters())
            measured["update"] = relative_change(model, values, stepped)
    if before is not None:
        measured["change"] = relative_change(model, before, values)
    found = measure_outputs(model, samples, batch_size)
    names = _names_by_layer(list(found), list(values))
    layers = (
        LayerProbe(path, words, outputs, _of_layer(measured, names[path])) for path, (words, outputs) in found.items()
    )
    return Probe(tuple(layers), model.replicate_shape)


def check_probe(model: Module, x: Array, y: Array | None, loss: Loss | None, optimizer: Optimizer | None) -> Samples:
    """Return the samples; raise before anything is measured if something does not fit."""
    if (y is None) != (loss is None):
        alone = "y" if loss is None else "loss"
        raise TypeError(f"probe: expected y and loss, both or neither, got {alone} alone")
    if optimizer is not None and loss is None:
        raise TypeError("probe: expected y and loss beside the optimizer, whose step follows from a gradient, got none")
    backend_of(x, "probe")
    if x.ndim < 2:
        raise ValueError(f"probe: expected x of shape (sample, ..., feature), got {tuple(x.shape)}")
    samples = Samples("probe", x, x if y is None else y, model.replicate_shape)
    if loss is None:
        model.check_entry(x)
    else:
        check_kinds("probe", ("loss", loss, Loss))
        check_samples("probe", NumpyEngine("probe", model), loss, samples)
    if optimizer is not None:
        check_kinds("probe", ("optimizer", optimizer, Optimizer))
        optimizer.check_for("probe", model, list(model.modules()))
    return samples


def _names_by_layer(paths: list[str], names: list[str]) -> dict[str, dict[str, str]]:
    """Return the parameters of each layer: their names in the layer, with those in the network.

    A parameter belongs to the layer with the longest path that its name begins with.
    """
    found: dict[str, dict[str, str]] = {path: {} for path in paths}
    for name in names:
        owners = [path for path in paths if not path or name.startswith(f"{path}.")]
        if owners:
            owner = max(owners, key=len)
            found[owner][name[len(owner) :].removeprefix(".")] = name
    return found


def _of_layer(measured: dict[str, dict[str, Any]], names: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return what was measured of a layer's parameters, by their names in the layer."""
    return {own: {what: numbers[name] for what, numbers in measured.items()} for own, name in names.items()}
