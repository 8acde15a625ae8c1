"""One-hot encoding of class indices."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minidl_data._arguments import read_array, read_float_dtype, read_integer


def one_hot(y: ArrayLike, n_classes: int = 2, *, dtype: DTypeLike = np.float32) -> NDArray[np.floating[Any]]:
    """Encode class indices as vectors that are 1 at the class and 0 elsewhere.

    Parameters
    ----------
    y : array_like of int or bool, shape (...)
        Class indices from 0 to ``n_classes - 1``.
    n_classes : int, default: 2
        Number of classes. It is not inferred from `y`, because `y` may lack a class.
    dtype : dtype, default: float32
        float16, float32 or float64.

    Returns
    -------
    numpy.ndarray of `dtype`, shape (..., n_classes)
        A new array; its rows sum to 1.

    Raises
    ------
    TypeError
        If `y` holds anything but integers or booleans, or another argument has the wrong type.
    ValueError
        If a class is negative or at least `n_classes`, or if `n_classes` is below 1.

    Notes
    -----
    The report's network has one output unit for each of the two classes (Section III-B).

    Examples
    --------
    >>> one_hot([0, 1, 1])
    array([[1., 0.],
           [0., 1.],
           [0., 1.]], dtype=float32)
    """
    n_classes = read_integer("one_hot", "n_classes", n_classes, minimum=1)
    dtype = read_float_dtype("one_hot", dtype)
    classes = _read_classes(y, n_classes)
    targets = np.zeros((*classes.shape, n_classes), dtype)
    np.put_along_axis(targets, classes[..., None], 1, axis=-1)
    return targets


def _read_classes(y: ArrayLike, n_classes: int) -> NDArray[np.intp]:
    classes = read_array("one_hot", "y", y)
    if classes.dtype.kind not in "biu":
        raise TypeError(f"one_hot: y must hold class indices of an integer dtype, got {classes.dtype}")
    for extreme in (classes.min(), classes.max()) if classes.size else ():
        if not 0 <= extreme < n_classes:
            raise ValueError(f"one_hot: y must hold classes from 0 to {n_classes - 1}, got {extreme}")
    return classes.astype(np.intp, copy=False)
