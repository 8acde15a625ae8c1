"""The C functions of the kinds: `real` is float or double, x and y may be one array unless it says otherwise."""

from __future__ import annotations

import re

MATH = ("erfc", "exp", "expm1", "fabs", "log1p", "sqrt", "tanh")  # of <math.h>; those of float end in f


def _elementwise(name: str, formula: str, setting: str = "", before: str = "") -> str:
    """Return a function that computes each y[i] from x[i]."""
    parameters = "const real *x, real *y, int n" + (f", real {setting}" if setting else "")
    first = f"        {before}\n" if before else ""
    return f"""
static void {name}({parameters})
{{
    for (int i = 0; i < n; i++) {{
{first}        y[i] = {formula};
    }}
}}
"""


# Behind each name what it needs of the others, and its code.
FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "sigmoid": (
        (),
        """
/* 1 / (1 + exp(-x)); no exponential of a positive number is taken, so nothing overflows. */
static real sigmoid(real x)
{
    const real e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}
""",
    ),
    "sum": (
        (),
        """
/* The sum of x[i], or of their squares, in NumPy's order: eight sums at once, and halves of long rows. */
static real sum(const real *x, int n, int squares)
{
    real part[8] = {0}, total;
    int i = 0;
    if (n > 128) {
        const int half = n / 2 - n / 2 % 8;
        return sum(x, half, squares) + sum(x + half, n - half, squares);
    }
    for (; i < n - n % 8; i++)
        part[i % 8] += squares ? x[i] * x[i] : x[i];
    total = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; i++)
        total += squares ? x[i] * x[i] : x[i];
    return total;
}
""",
    ),
    "apply_linear": (
        (),
        """
/* y = W x + b, with a row of W for each output; four sums at once. x and y do not overlap, and b may be missing. */
static void apply_linear(const real *x, real *y, int n_in, int n_out, const real *weight, const real *bias)
{
    for (int i = 0; i < n_out; i++, weight += n_in) {
        real part[4] = {0}, total;
        int j = 0;
        for (; j + 4 <= n_in; j += 4)
            for (int k = 0; k < 4; k++)
                part[k] += weight[j + k] * x[j + k];
        for (; j < n_in; j++)
            part[j % 4] += weight[j] * x[j];
        total = (part[0] + part[1]) + (part[2] + part[3]);
        y[i] = bias ? total + bias[i] : total;
    }
}
""",
    ),
    "apply_batch_norm": (
        (),
        """
/* y = weight (x - mean) / root + bias, where the square of root is eps more than the variance of the training data. */
static void apply_batch_norm(const real *x, real *y, int n, const real *mean, const real *root, const real *weight,
                             const real *bias)
{
    for (int i = 0; i < n; i++)
        y[i] = weight[i] * ((x[i] - mean[i]) / root[i]) + bias[i];
}
""",
    ),
    "apply_layer_norm": (
        ("sum",),
        """
/* y = weight (x - mean) / root + bias, where the square of root is eps more than the variance of x. */
static void apply_layer_norm(const real *x, real *y, int n, const real *weight, const real *bias, real eps)
{
    const real mean = sum(x, n, 0) / (real)n;
    real root;
    for (int i = 0; i < n; i++)
        y[i] = x[i] - mean;
    root = sqrt(sum(y, n, 1) / (real)n + eps);
    for (int i = 0; i < n; i++)
        y[i] = weight[i] * (y[i] / root) + bias[i];
}
""",
    ),
    "apply_softmax": (
        (),
        """
/* exp(x[i]) over their sum; the largest is subtracted first, so nothing overflows. */
static void apply_softmax(const real *x, real *y, int n)
{
    real largest = x[0], total = 0;
    for (int i = 1; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (int i = 0; i < n; i++) {
        y[i] = exp(x[i] - largest);
        total += y[i];
    }
    for (int i = 0; i < n; i++)
        y[i] /= total;
}
""",
    ),
    "apply_add": ((), _elementwise("apply_add", "x[i] + y[i]")),
    "apply_copy": ((), _elementwise("apply_copy", "x[i]")),
    "apply_relu": ((), _elementwise("apply_relu", "x[i] < 0 ? 0 : x[i]")),
    "apply_leaky_relu": ((), _elementwise("apply_leaky_relu", "x[i] > 0 ? x[i] : alpha * x[i]", "alpha")),
    "apply_tanh": ((), _elementwise("apply_tanh", "tanh(x[i])")),
    "apply_sigmoid": (("sigmoid",), _elementwise("apply_sigmoid", "sigmoid(x[i])")),
    "apply_silu": (("sigmoid",), _elementwise("apply_silu", "(x[i] < -1000 ? -1000 : x[i]) * sigmoid(x[i])")),
    "apply_elu": ((), _elementwise("apply_elu", "x[i] > 0 ? x[i] : alpha * expm1(x[i])", "alpha")),
    "apply_softplus": (
        (),
        _elementwise("apply_softplus", "(x[i] < 0 ? 0 : x[i]) + log1p(exp(-fabs(beta * x[i]))) / beta", "beta"),
    ),
    # Below -40 the output is 0; an infinity times 0 would be nan.
    "apply_gelu": (
        (),
        _elementwise(
            "apply_gelu",
            "z * (0.5 * erfc(-0.70710678118654752 * z))",
            before="const real z = x[i] < -40 ? -40 : x[i];",
        ),
    ),
    "apply_gelu_by_tanh": (
        ("sigmoid",),
        _elementwise(
            "apply_gelu_by_tanh",
            "z * sigmoid(1.5957691216057308 * (z + 0.044715 * z * z * z))",
            before="const real z = x[i] < -40 ? -40 : x[i];",
        ),
    ),
}


def code_of(names: set[str], real: str) -> str:
    """Return the code of some functions, and of those that they need, for float or double."""
    needed = names | {other for name in names for other in FUNCTIONS[name][0]}
    code = "".join(text for name, (_, text) in FUNCTIONS.items() if name in needed)
    code = re.sub(r"\breal\b", real, code)
    if real == "double":
        return code
    code = re.sub(rf"\b({'|'.join(MATH)})\(", r"\1f(", code)
    return re.sub(r"\b(\d+\.\d+)", r"\1f", code)
