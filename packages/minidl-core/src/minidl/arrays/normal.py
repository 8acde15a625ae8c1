"""The distribution function of the standard normal distribution, right to a few ulp in both tails."""

from __future__ import annotations

import math

from minidl.arrays.backend import Array, Backend

# P(t) = Φ(-a) exp(a²/2) (a + K) with t = (a - K) / (a + K), for a >= 0: a smooth function of t in [-1, 1]. These are
# the coefficients of its Chebyshev series, cut where the rest is below 2e-17 and written in powers of t. The variable
# is that of Shepherd and Laframboise, Mathematics of Computation 36 (1981), for exp(x²) erfc(x).
K = 4.5
P = (
    0.76323052897020315, -0.640257760252617, 0.44645251705567325, -0.25314179995097779, 0.11138259657043309,
    -0.033871326176830621, 0.0042236133767849956, 0.0017488305626411952, -0.00091774647721526404,
    6.381197673470134e-6, 0.00011204260657681428, -1.5933330473343638e-5, -1.4235710470352268e-5,
    3.1910202048127074e-6, 2.1426722429963271e-6, -5.0195728032091812e-7, -3.7925600368649236e-7,
    6.405463360095078e-8, 7.0598444956168334e-8, -4.7695320872466843e-9, -1.1249671509939883e-8,
    -2.9415820542718567e-10, 1.0437179188005654e-9, 9.7432930756748678e-11,
)  # fmt: skip


def normal(backend: Backend, x: Array) -> tuple[Array, Array]:
    """Return Φ(x), the probability that a standard normal number is below x, and its derivative φ(x).

    ``Φ(x) = (1 + erf(x / √2)) / 2`` loses all digits for negative x, where the sum cancels. Here Φ(-a) is computed
    directly, as ``exp(-a²/2) P(t) / (a + K)`` with ``a = |x|``, and Φ(a) is 1 - Φ(-a).

    Parameters
    ----------
    backend : Backend
    x : array
        float32 or float64, within [-40, 40], where Φ has reached 0 and 1 in both dtypes.

    Returns
    -------
    tuple of two arrays
    """
    xp = backend.xp
    a = xp.abs(x)
    t = (a - K) / (a + K)
    p = P[-1] * t + P[-2]
    for coefficient in P[-3::-1]:
        p *= t
        p += coefficient
    # An error of a² would be multiplied by a²/2 in the exponential. With few bits, h² is exact: a² = h² + (a-h)(a+h).
    h = xp.floor(16 * a) / 16
    bell = xp.exp(-h * h / 2) * xp.exp(-(a - h) * (a + h) / 2)
    tail = bell * p / (a + K)
    return xp.where(x < 0, tail, 1 - tail), bell / math.sqrt(2 * math.pi)
