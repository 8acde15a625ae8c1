"""Kinds as functions of ONNX: where the standard's operator does not have the digits of float64, or replicates.

The operators of the standard have their settings in float32, and for some of them runtimes have no kernel of float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minidl.arrays.normal import K, P

DOMAIN, VERSION = "minidl", 1
OPSET = 20  # the first with Gelu; a function is of the same


def _horner(coefficients: Iterable[float]) -> list[str]:
    """Return the lines that compute ``p``, the polynomial of these coefficients in ``t``, lowest first."""
    *rest, last = coefficients
    lines = [f"p{len(rest)} = Constant <value = double {{{last!r}}}> ()"]
    for power, coefficient in reversed(list(enumerate(rest))):
        lines += [
            f"c{power} = Constant <value = double {{{coefficient!r}}}> ()",
            f"m{power} = Mul (p{power + 1}, t)",
            f"p{power} = Add (m{power}, c{power})",
        ]
    return [*lines, "p = Identity (p0)"]


def _numbers(**values: float) -> list[str]:
    """Return the lines that define numbers in the dtype of x."""
    return [
        line
        for name, value in values.items()
        for line in (f"{name}_ = Constant <value = double {{{value!r}}}> ()", f"{name} = CastLike ({name}_, x)")
    ]


_LAST = ["last = Constant <value_ints = [-1]> ()"]

# By kind the inputs behind x, arrays and settings of the layer, and the lines that compute y.
FUNCTIONS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "LeakyReLU": (
        ("alpha",),
        [
            *_numbers(zero=0.0),
            "positive = Greater (x, zero)",
            "other = Mul (alpha, x)",
            "y = Where (positive, x, other)",
        ],
    ),
    "ELU": (
        ("alpha",),
        [
            *_numbers(zero=0.0, half=0.5, one=1.0, two=2.0),
            "positive = Greater (x, zero)",
            # exp(z) - 1 = 2 t / (1 - t) with t = tanh(z / 2), which keeps the digits of small z
            "z = Min (x, zero)",
            "u = Mul (half, z)",
            "t = Tanh (u)",
            "above = Mul (two, t)",
            "below = Sub (one, t)",
            "grown = Div (above, below)",
            "other = Mul (alpha, grown)",
            "y = Where (positive, x, other)",
        ],
    ),
    "Softplus": (
        ("beta",),
        [
            *_numbers(zero=0.0, one=1.0),
            "scaled = Mul (beta, x)",
            "size = Abs (scaled)",
            "minus = Neg (size)",
            "e = Exp (minus)",
            "above = Add (one, e)",
            "log = Log (above)",
            "corner = Div (log, beta)",
            "positive = Max (x, zero)",
            "y = Add (positive, corner)",
        ],
    ),
    "GELU": (  # the formula of minidl.arrays.normal
        (),
        [
            *_numbers(zero=0.0, half=0.5, one=1.0, sixteen=16.0, lowest=-40.0, highest=40.0, k=K),
            "near = Clip (x, lowest, highest)",
            "a = Abs (near)",
            "am = Sub (a, k)",
            "ap = Add (a, k)",
            "t = Div (am, ap)",
            *_horner(P),
            "ha = Mul (sixteen, a)",
            "hb = Floor (ha)",
            "h = Div (hb, sixteen)",
            "hh = Mul (h, h)",
            "hc = Mul (half, hh)",
            "hd = Neg (hc)",
            "coarse = Exp (hd)",
            "fm = Sub (a, h)",
            "fp = Add (a, h)",
            "ff = Mul (fm, fp)",
            "fc = Mul (half, ff)",
            "fd = Neg (fc)",
            "fine = Exp (fd)",
            "bell = Mul (coarse, fine)",
            "bp = Mul (bell, p)",
            "tail = Div (bp, ap)",
            "rest = Sub (one, tail)",
            "negative = Less (x, zero)",
            "gate = Where (negative, tail, rest)",
            "bounded = Max (x, lowest)",
            "y = Mul (bounded, gate)",
        ],
    ),
    "GELUTanh": (
        (),
        [
            *_numbers(slope=1.5957691216057308, cubic=0.044715, lowest=-40.0),
            "bounded = Max (x, lowest)",
            "square = Mul (bounded, bounded)",
            "cube = Mul (square, bounded)",
            "small = Mul (cubic, cube)",
            "both = Add (bounded, small)",
            "z = Mul (slope, both)",
            "gate = Sigmoid (z)",
            "y = Mul (bounded, gate)",
        ],
    ),
    "LayerNorm": (
        ("weight", "bias", "eps"),
        [
            *_LAST,
            "mean = ReduceMean (x, last)",
            "centered = Sub (x, mean)",
            "squares = Mul (centered, centered)",
            "variance = ReduceMean (squares, last)",
            "above = Add (variance, eps)",
            "root = Sqrt (above)",
            "n = Div (centered, root)",
            "scaled = Mul (weight, n)",
            "y = Add (scaled, bias)",
        ],
    ),
    "BatchNorm1d": (
        ("running_mean", "running_var", "weight", "bias", "eps"),
        [
            "centered = Sub (x, running_mean)",
            "above = Add (running_var, eps)",
            "root = Sqrt (above)",
            "n = Div (centered, root)",
            "scaled = Mul (weight, n)",
            "y = Add (scaled, bias)",
        ],
    ),
}


def function_of(onnx: Any, kind: str) -> Any:
    """Return the function of a kind."""
    inputs, lines = FUNCTIONS[kind]
    head = f'<domain: "{DOMAIN}", opset_import: ["": {OPSET}]>'
    return onnx.parser.parse_function(f"{head} {kind} ({', '.join(('x', *inputs))}) => (y) {{ {' '.join(lines)} }}")
