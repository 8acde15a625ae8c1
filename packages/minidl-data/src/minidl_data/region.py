"""The disk and its membership test."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minidl_data._arguments import FLOATS, read_array
from minidl_data._blocks import blocks

RADIUS: float = 1 / math.sqrt(2 * math.pi)
"""Radius of the disk, 0.3989... The area of the disk is one half, so the two classes balance."""

CENTER: tuple[float, float] = (0.5, 0.5)
"""Centre of the disk and of the unit square."""

_LIMIT = 1 / (2 * math.pi)
# The relative error of a squared distance in float64 is at most two epsilons: near the border, a third of _DOUBT.
_DOUBT = float(np.finfo(np.float64).eps)
# Near the border, float64 coordinates are multiples of 2**-56 and squared distances multiples of 2**-112.
_SCALE = 2**56
_EXACT_LIMIT = 2**111 * 10**50 // 3_14159265358979323846264338327950288419716939937510


def inside(points: ArrayLike) -> NDArray[np.bool_]:
    """Test which points lie inside the disk of radius ``1/sqrt(2 pi)`` around (0.5, 0.5).

    The result is exact for the values in `points`, in every dtype. A point rounded from float64 to float32 is tested
    at its rounded coordinates. No point lies on the border itself, because its squared distance from the centre is a
    rational number and ``1/(2 pi)`` is not.

    Parameters
    ----------
    points : array_like of float16, float32 or float64, shape (..., 2)
        Points of the plane, in units of the square's side. Points outside the square are allowed.

    Returns
    -------
    numpy.ndarray of bool, shape (...)
        True inside the disk. A point with an infinite or NaN coordinate is outside.

    Raises
    ------
    TypeError
        If `points` holds anything but float16, float32 or float64.
    ValueError
        If the last axis of `points` does not have length 2.

    Notes
    -----
    Section III-A of the report describes the disk. Squared distances are computed in float64, in blocks. Points whose
    squared distance is within one float64 epsilon of the limit are decided in integer arithmetic.

    Examples
    --------
    >>> inside([[0.5, 0.5], [0.5, 0.9], [0.1, 0.1]])
    array([ True, False, False])
    """
    array = _read_points(points)
    rows = array.reshape(-1, 2)
    answer = np.empty(len(rows), np.bool_)
    with np.errstate(all="ignore"):  # the square of a far point may overflow to infinity, which is outside
        for block in blocks(len(rows)):
            answer[block] = _inside_block(rows[block])
    return answer.reshape(array.shape[:-1])


def _read_points(points: ArrayLike) -> NDArray[Any]:
    array = read_array("inside", "points", points)
    if array.dtype.type not in FLOATS:
        raise TypeError(f"inside: points must be float16, float32 or float64, got {array.dtype}")
    if array.shape[-1:] != (2,):
        raise ValueError(f"inside: points must have the shape (..., 2), got {array.shape}")
    return array


def _inside_block(points: NDArray[Any]) -> NDArray[np.bool_]:
    dx = np.subtract(points[:, 0], CENTER[0], dtype=np.float64)
    dy = np.subtract(points[:, 1], CENTER[1], dtype=np.float64)
    squared_distance = dx * dx + dy * dy
    surely: NDArray[np.bool_] = squared_distance < _LIMIT - _DOUBT
    maybe = squared_distance < _LIMIT + _DOUBT
    if np.count_nonzero(surely) != np.count_nonzero(maybe):
        for row in np.flatnonzero(surely != maybe):
            surely[row] = _inside_exactly(*points[row].tolist())
    return surely


def _inside_exactly(x: float, y: float) -> bool:
    dx = int(x * _SCALE) - int(CENTER[0] * _SCALE)
    dy = int(y * _SCALE) - int(CENTER[1] * _SCALE)
    return dx * dx + dy * dy <= _EXACT_LIMIT
