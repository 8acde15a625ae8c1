"""The modules, as data: how to build each here and in torch, and how far apart they may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

import minidl as md
from conformance.differences import (
    CANCELS,
    INFINITE_GRADIENT,
    MINUS_INFINITY,
    NAN_AT_NAN,
    OWN_MASK,
    SLOPE_AT_NAN,
    THRESHOLD,
    Difference,
)
from conformance.twins import Around, FeaturesLast, KnownMask, SideBySide


@dataclass(frozen=True)
class Bad:
    """An action, `act(module, x, y)`, on a module after y = forward(x), that must raise, and words of its message."""

    what: str
    act: Callable
    error: type
    words: tuple[str, ...]


@dataclass(frozen=True)
class ModuleCase:
    """A module here and in torch.

    `ours(dtype, backend)` and `theirs(shape, dtype)` build them; `theirs` is told the shape of the input, which fixes a
    dropout mask. `ulp` is the tolerance per dtype, in ulp of each element, or with `unit` "array" of the largest. Input
    gradients are measured by element where `own_digits(y)` says so, elsewhere in ulp of the largest in the array.
    Batches of fewer than `samples` are compared in evaluation mode only.
    """

    name: str
    ours: Callable
    theirs: Callable
    ulp: Mapping[str, float]
    unit: str = "element"
    own_digits: Callable = np.isfinite
    features: int = 5
    edges: bool = True
    any_width: bool = True
    samples: int = 0
    differences: tuple[Difference, ...] = ()
    bad: tuple[Bad, ...] = ()

    def __str__(self):
        return self.name


def nowhere(y):
    """For gradients that are sums, whose terms cancel."""
    return np.zeros(y.shape[:-1], bool)[..., None]


def far_from_one(y):
    """Where 1 - y has the digits of y: close to 1, an ulp of y is many of 1 - y."""
    return np.abs(y) <= 0.5


def at_least_half(y):
    """Where the output is positive and no zero of the derivative is near."""
    return np.asarray(y) >= 0.5


def _square(dtype, backend):
    return md.Linear(5, 5, std_b=0.5, dtype=dtype, backend=backend, rng=1)


def _linear(dtype, backend, *, bias=True):
    return md.Linear(5, 3, bias=bias, std_b=0.5 if bias else None, dtype=dtype, backend=backend, rng=1)


def _network(dtype, backend):
    return md.Sequential(
        [
            md.Linear(5, 8, std_b=0.1, dtype=dtype, backend=backend, rng=1),
            md.Tanh(),
            md.Sequential(
                [md.LeakyReLU(0.2), md.Linear(8, 4, bias=False, dtype=dtype, backend=backend, rng=2), md.Sigmoid()],
            ),
            md.Linear(4, 3, std_b=0.1, dtype=dtype, backend=backend, rng=3),
        ],
    )


def _torch_network(_shape, dtype):
    inner = nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(8, 4, bias=False, dtype=dtype), nn.Sigmoid())
    return nn.Sequential(nn.Linear(5, 8, dtype=dtype), nn.Tanh(), inner, nn.Linear(4, 3, dtype=dtype))


EXACT = {"float64": 0, "float32": 0, "float16": 0}


def bad_width(who):
    """Return the refusal of an x of another width, in the name of a module."""
    return Bad("wrong width", lambda m, x, _y: m.forward(x[..., :-1]), ValueError, (who, "(..., 5)", "(7, 4)"))


BAD_WIDTH = bad_width("Linear")

MODULES = (
    ModuleCase(
        "Linear",
        _linear,
        lambda _shape, dtype: nn.Linear(5, 3, dtype=dtype),
        # Sums of 5 (over samples: 7) products, added in another order by the two libraries; in float16 torch may also
        # keep the sums in float32 where NumPy rounds after each.
        ulp={"float64": 4, "float32": 4, "float16": 3},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        bad=(BAD_WIDTH,),
    ),
    ModuleCase(
        "Linear without bias",
        lambda dtype, backend: _linear(dtype, backend, bias=False),
        lambda _shape, dtype: nn.Linear(5, 3, bias=False, dtype=dtype),
        ulp={"float64": 4, "float32": 4, "float16": 3},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        bad=(BAD_WIDTH,),
    ),
    ModuleCase(
        "ReLU",
        lambda _dtype, _backend: md.ReLU(),
        lambda _shape, _dtype: nn.ReLU(),
        ulp=EXACT,
        differences=(SLOPE_AT_NAN, INFINITE_GRADIENT),
    ),
    ModuleCase(
        "LeakyReLU",
        lambda _dtype, _backend: md.LeakyReLU(0.1),
        lambda _shape, _dtype: nn.LeakyReLU(0.1),
        # float16: torch multiplies in float32 and rounds once, NumPy rounds alpha to float16 first.
        ulp={"float64": 0, "float32": 0, "float16": 1},
    ),
    ModuleCase(
        "Tanh",
        lambda _dtype, _backend: md.Tanh(),
        lambda _shape, _dtype: nn.Tanh(),
        # The libraries' own tanh and exp differ by an ulp or two.
        ulp={"float64": 4, "float32": 4, "float16": 4},
        own_digits=far_from_one,
    ),
    ModuleCase(
        "Sigmoid",
        lambda _dtype, _backend: md.Sigmoid(),
        lambda _shape, _dtype: nn.Sigmoid(),
        ulp={"float64": 4, "float32": 4, "float16": 4},
        own_digits=far_from_one,
    ),
    ModuleCase("Identity", lambda _dtype, _backend: md.Identity(), lambda _shape, _dtype: nn.Identity(), ulp=EXACT),
    ModuleCase(
        "ELU",
        lambda _dtype, _backend: md.ELU(0.75),
        lambda _shape, _dtype: nn.ELU(0.75),
        # In float16 torch computes in float32 and rounds once.
        ulp={"float64": 4, "float32": 4, "float16": 4},
        differences=(NAN_AT_NAN,),
    ),
    ModuleCase(
        "Softplus",
        lambda _dtype, _backend: md.Softplus(2),
        # From this threshold on torch's y is x, which is then right to half an ulp.
        lambda _shape, _dtype: nn.Softplus(2, threshold=40),
        ulp={"float64": 4, "float32": 4, "float16": 4},
        differences=(THRESHOLD,),
    ),
    ModuleCase(
        "SiLU",
        lambda _dtype, _backend: md.SiLU(),
        lambda _shape, _dtype: nn.SiLU(),
        # The derivative has a zero, near which torch's and ours cancel in another way. In torch the rounding error of
        # 1 - σ(x) is multiplied by x: up to 30 ulp at x = 30.
        ulp={"float64": 32, "float32": 4, "float16": 4},
        own_digits=at_least_half,
        differences=(MINUS_INFINITY,),
    ),
    *(
        ModuleCase(
            name,
            lambda _dtype, _backend, word=word: md.GELU(word),
            lambda _shape, _dtype, word=word: nn.GELU(word),
            # For negative x torch's sum 1 + erf, or 1 + tanh, cancels.
            ulp={"float64": 8, "float32": 8, "float16": 4},
            unit="array",
            own_digits=at_least_half,
            differences=(MINUS_INFINITY, CANCELS),
        )
        for name, word in (("GELU", "none"), ("GELU by tanh", "tanh"))
    ),
    ModuleCase(
        "Dropout",
        lambda _dtype, _backend: md.Dropout(0.25, rng=7),
        lambda shape, _dtype: KnownMask(shape, 0.25, 7),
        ulp=EXACT,
        differences=(OWN_MASK,),
    ),
    ModuleCase(
        "Dropout of none",
        lambda _dtype, _backend: md.Dropout(0.0),
        lambda _shape, _dtype: nn.Dropout(0.0),
        ulp=EXACT,
    ),
    ModuleCase(
        "Dropout of all",
        lambda _dtype, _backend: md.Dropout(1.0),
        lambda _shape, _dtype: nn.Dropout(1.0),
        ulp=EXACT,
    ),
    ModuleCase(
        "LayerNorm",
        lambda dtype, backend: md.LayerNorm(5, dtype=dtype, backend=backend),
        lambda _shape, dtype: nn.LayerNorm(5, dtype=dtype),
        # Means of 5 terms, in another order; dL/dx is a difference of three terms, which cancel.
        ulp={"float64": 8, "float32": 8, "float16": 8},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        bad=(bad_width("LayerNorm"),),
    ),
    ModuleCase(
        "BatchNorm1d",
        lambda dtype, backend: md.BatchNorm1d(5, dtype=dtype, backend=backend),
        lambda _shape, dtype: FeaturesLast(5, dtype=dtype),
        # As LayerNorm, over the samples.
        ulp={"float64": 8, "float32": 8, "float16": 8},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        samples=2,
        bad=(bad_width("BatchNorm1d"),),
    ),
    ModuleCase(
        "Residual",
        lambda dtype, backend: md.Residual(md.Sequential([_square(dtype, backend), md.ReLU()])),
        lambda _shape, dtype: Around(nn.Sequential(nn.Linear(5, 5, dtype=dtype), nn.ReLU())),
        ulp={"float64": 4, "float32": 4, "float16": 4},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        bad=(BAD_WIDTH,),
    ),
    ModuleCase(
        "Concat",
        lambda dtype, backend: md.Concat([_linear(dtype, backend), md.Tanh(), _square(dtype, backend)]),
        lambda _shape, dtype: SideBySide(nn.Linear(5, 3, dtype=dtype), nn.Tanh(), nn.Linear(5, 5, dtype=dtype)),
        ulp={"float64": 4, "float32": 4, "float16": 4},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        bad=(BAD_WIDTH,),
    ),
    ModuleCase(
        "Sequential",
        _network,
        _torch_network,
        ulp={"float64": 12, "float32": 12, "float16": 12},
        unit="array",
        own_digits=nowhere,
        edges=False,
        any_width=False,
        bad=(BAD_WIDTH,),
    ),
    ModuleCase(
        "Sequential of none",
        lambda _dtype, _backend: md.Sequential([]),
        lambda _shape, _dtype: nn.Sequential(),
        ulp=EXACT,
    ),
)
