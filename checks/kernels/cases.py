"""The trainings that the kernels are to repeat: every kind of layer, loss and optimizer, and every option of a pass.

The lists of kinds come from the engine, so that a new kind is here without a change.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import minidl
from minidl_native import KINDS
from minidl_native.kinds import FACTS

# Settings that show more than the defaults; a kind that is not here has its defaults.
LAYERS: dict[str, dict[str, Any]] = {
    "Linear": {"std_b": 0.3},
    "LeakyReLU": {"alpha": -0.4},
    "Dropout": {"p_drop": 0.3},
    "ELU": {"alpha": 0.7},
    "Softplus": {"beta": 1.5},
    "LayerNorm": {"eps": 0.1},
    "BatchNorm1d": {"eps": 0.1, "momentum": 0.4},
}
LOSSES: dict[str, dict[str, Any]] = {
    "HuberLoss": {"delta": 0.3},
    "QuantileLoss": {"quantiles": [0.2, 0.7]},
    "BCEWithLogitsLoss": {"pos_weight": 2.5, "ceiling": 0.8},
    "CrossEntropyLoss": {"label_smoothing": 0.1, "ceiling": 0.8},
}
# Without a larger eps, steps are as long as the learning rate even where a gradient is rounding noise.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.7, "nesterov": True, "weight_decay": 0.01},
    "RMSprop": {"alpha": 0.9, "eps": 1e-3, "momentum": 0.7, "weight_decay": 0.01},
    "Adam": {"eps": 1e-3, "weight_decay": 0.01},
    "AdamW": {"eps": 1e-3, "eps_hat": True},
}
Build = Callable[[Any], minidl.Sequential]


@dataclass
class Case:
    """A training, described as for `minidl.fit`."""

    name: str
    dtype: str
    model: Any  # a Sequential
    loss: minidl.Loss
    optimizer: minidl.Optimizer
    x: np.ndarray
    y: np.ndarray
    orders: Sequence[np.ndarray]  # of each epoch
    batch_size: int = 7
    weight: np.ndarray | None = None
    l2: Any = 0.0


def layer(kind: str, rng: np.random.Generator, dtype: str, below: int, above: int | None = None) -> minidl.Module:
    """Build a layer of any kind that the engine has."""
    options = dict(LAYERS.get(kind, {}))
    if kind == "Linear":
        return minidl.Linear(below, above or below, dtype=dtype, rng=rng, **options)
    accepted = inspect.signature(getattr(minidl, kind)).parameters
    given: dict[str, Any] = {"features": below, "dtype": dtype, "rng": rng.spawn(1)[0]}
    if "inner" in accepted:
        given["inner"] = minidl.Sequential([minidl.Tanh(), layer("Linear", rng, dtype, below)])
    made: minidl.Module = getattr(minidl, kind)(**options, **{name: given[name] for name in given if name in accepted})
    return made


def chain(dtype: str, widths: Sequence[int], kinds: Sequence[str] = ("Tanh",), last: Sequence[str] = ()) -> Build:
    """Return a function that builds a network with layers of these kinds behind every Linear but the last."""

    def build(seed: Any) -> minidl.Sequential:
        rng = np.random.default_rng(seed)
        layers: list[minidl.Module] = []
        for below, above in pairwise(widths):
            layers += [layer(kind, rng, dtype, below) for kind in kinds if layers]
            layers += [layer("Linear", rng, dtype, below, above)]
        return minidl.Sequential([*layers, *(layer(kind, rng, dtype, widths[-1]) for kind in last)])

    return build


def samples(dtype: str, shape: Sequence[int], outputs: int, *, labels: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return samples with targets that are probabilities, which suit every loss, or classes."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape).astype(dtype)
    if labels:
        return x, rng.integers(0, outputs, shape[:-1])
    y = rng.random((*shape[:-1], outputs)) + 0.1
    return x, (y / y.sum(-1, keepdims=True)).astype(dtype)


def orders(n: int, epochs: int = 3, replicates: int = 0) -> list[np.ndarray]:
    """Return an order of n samples for each epoch, or one for each replicate."""
    rng = np.random.default_rng(2)
    if not replicates:
        return [rng.permutation(n) for _ in range(epochs)]
    return [np.stack([rng.permutation(n).astype(np.int32) for _ in range(replicates)]) for _ in range(epochs)]


def simple(
    name: str, dtype: str, model: Any, *, widths: tuple[int, int] = (5, 3), n: int = 23, lr: Any = 0.002
) -> Case:
    """Return a case with a mean of squares, SGD with momentum and samples of these widths."""
    x, y = samples(dtype, (n, widths[0]), widths[1])
    sgd = minidl.SGD(model, lr, momentum=0.7)
    return Case(f"{name}, {dtype}", dtype, model, minidl.MSELoss("mean"), sgd, x, y, orders(n))


def of_layers(dtype: str) -> Iterator[Case]:
    """Yield a case for each kind of layer, between two Linear and on top; and for each word of a kind."""
    for kind in KINDS.layers:
        yield simple(kind, dtype, chain(dtype, (5, 9, 6, 3), [kind], [kind])(0))
        for word in FACTS["layers"][kind]["words"]:
            ends = [layer("Linear", np.random.default_rng(0), dtype, *widths) for widths in ((5, 9), (9, 3))]
            middle = getattr(minidl, kind)(**{KINDS.layers[kind][0]: word})
            yield simple(f"{kind} {word}", dtype, minidl.Sequential([ends[0], middle, ends[1]]))
    yield simple("layers on layers", dtype, chain(dtype, (5, 9, 3), [*KINDS.layers])(0))


def of_losses(dtype: str) -> Iterator[Case]:
    """Yield a case for each loss and reduction, with weights, and with classes where it takes them."""
    weight = np.random.default_rng(0).integers(0, 3, 23) / 4  # whose sums are exact
    for kind in KINDS.losses:
        for reduction in ("sum", "mean", "batchmean"):
            for labels in (False, True)[: 1 + FACTS["losses"][kind]["takes_classes"]]:
                loss = getattr(minidl, kind)(reduction, **LOSSES.get(kind, {}))
                outputs = 3 if loss.one_output_per_target else 6
                last = ["Sigmoid"] if FACTS["losses"][kind]["needs_probabilities"] else []
                case = simple(kind, dtype, chain(dtype, (5, 9, outputs), last=last)(0))
                case.loss, case.weight = loss, weight if reduction != "sum" else None
                case.name = f"{kind} {reduction}{' of classes' * labels}, {dtype}"
                width = outputs if labels else loss.target_shape((23, outputs))[-1]
                case.x, case.y = samples(dtype, (23, 5), width, labels=labels)
                case.optimizer.lr = 1e-4 if "NLL" in kind else 0.01  # its gradients are exponentials of outputs
                yield case


def of_optimizers(dtype: str) -> Iterator[Case]:
    """Yield two cases for each optimizer, plain and with every option, and one with a decaying rate."""
    build = chain(dtype, (4, 11, 3))
    for kind in KINDS.optimizers:
        every = OPTIMIZERS.get(kind, {}) | {"clip": 0.3, "decay_biases": False}
        for name, options in ((kind, {}), (f"{kind} with its options", every)):
            case = simple(name, dtype, build(0), widths=(4, 3))
            case.optimizer = getattr(minidl, kind)(case.model, 0.01, **options)
            yield case
    case = simple("SGD with a decaying rate", dtype, build(0), widths=(4, 3))
    case.optimizer = minidl.SGD(case.model, kappa=0.6, eta=0.05)
    yield case


def of_shapes(dtype: str) -> Iterator[Case]:
    """Yield cases of widths and batches at the edges of tiles and vectors."""
    for width in (1, 7, 8, 9, 31, 33, 127):
        case = simple(f"width {width}", dtype, chain(dtype, (width, width, 2), ["ReLU"])(0), widths=(width, 2), n=13)
        case.batch_size = {1: 1, 7: 6, 8: 100}.get(width, 5)
        yield case
    case = simple("wide layers", dtype, chain(dtype, (300, 70, 10), ["ReLU"])(0), widths=(300, 10), n=80)
    case.batch_size, case.orders = 70, orders(80, 1)
    yield case


def of_replicates(dtype: str) -> Iterator[Case]:
    """Yield cases of three replicates: with samples and settings of their own, and with shared ones."""
    build = chain(dtype, (5, 9, 3), ["Dropout", "BatchNorm1d"])
    for name, shape in (("replicates that share samples", ()), ("replicates with samples of their own", (3,))):
        case = simple(name, dtype, minidl.replicate(build, range(3)))
        case.x, case.y = samples(dtype, (*shape, 23, 5), 3)
        case.optimizer = minidl.Adam(case.model, np.array([0.01, 0.001, 0.02]), **OPTIMIZERS["Adam"])
        case.orders = orders(23, replicates=3 if shape else 0)
        case.weight = np.random.default_rng(0).integers(0, 3, (*shape, 23)) / 4
        case.l2 = np.array([0.0, 0.3, 2.0])
        yield case


def of_options(dtype: str) -> Iterator[Case]:
    """Yield cases of a frozen layer, rates of the layers' own, and a loss of nan."""
    case = simple("a frozen layer", dtype, chain(dtype, (5, 9, 6, 3))(0))
    case.model[2].freeze()
    yield case
    ends = [minidl.Linear(*widths, lr=lr, dtype=dtype, rng=0) for widths, lr in (((5, 9), 0.01), ((9, 3), 0.02))]
    yield simple("rates of the layers' own", dtype, minidl.Sequential([ends[0], minidl.Tanh(), ends[1]]), lr=None)
    case = simple("a loss of nan", dtype, minidl.replicate(chain(dtype, (5, 9, 3)), range(2)))
    case.x, case.y = samples(dtype, (2, 23, 5), 3)
    case.orders = orders(23, 1)
    case.x[1, case.orders[0][15], 2] = np.nan  # in the third batch of the second replicate
    yield case


def all_cases() -> Iterator[Case]:
    """Yield every case, in float32 and in float64."""
    for dtype in ("float32", "float64"):
        for group in (of_layers, of_losses, of_optimizers, of_shapes, of_replicates, of_options):
            yield from group(dtype)
