"""The disk data set: uniform points in the unit square and their labels."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minidl_data._arguments import RNG, read_float_dtype, read_integer, read_rng
from minidl_data._blocks import blocks
from minidl_data.region import inside

Points: TypeAlias = NDArray[np.floating[Any]]
Labels: TypeAlias = NDArray[np.int64]
Samples: TypeAlias = tuple[Points, Labels]

N_TRAIN = N_TEST = 1000

# NumPy cannot represent the shape of a larger array.
MOST_SAMPLES = np.iinfo(np.intp).max // 32


def make_disk(n_samples: int, *, rng: RNG = None, dtype: DTypeLike = np.float32) -> Samples:
    """Draw points uniformly from the unit square, labelled 1 inside the disk and 0 outside.

    Parameters
    ----------
    n_samples : int
        Number of points, at least 0.
    rng : None, int, numpy.random.SeedSequence or numpy.random.Generator, optional
        Source of the points. An integer or a seed sequence gives the same points on every call.
    dtype : dtype, default: float32
        float16, float32 or float64. Points are drawn in this dtype, not rounded to it.

    Returns
    -------
    x : numpy.ndarray of `dtype`, shape (n_samples, 2)
        Points, each coordinate in [0, 1).
    y : numpy.ndarray of int64, shape (n_samples,)
        Class of each point: ``inside(x)``. Both classes have probability one half.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or `dtype` is none of the three dtypes.
    ValueError
        If `n_samples` or the seed is negative.

    See Also
    --------
    DiskStream : An endless stream from the same distribution, for more points than fit in memory.

    Notes
    -----
    Section III-A of the report describes the data. Coordinates are multiples of ``2**-11``, ``2**-24`` and ``2**-53``
    for float16, float32 and float64. The float16 points of a seed are its float32 points truncated to the coarser
    grid; rounding to nearest would turn some coordinates into 1.

    Examples
    --------
    >>> x, y = make_disk(5, rng=0)
    >>> x.shape, x.dtype, y
    ((5, 2), dtype('float32'), array([1, 1, 0, 0, 0]))
    """
    n_samples = read_integer("make_disk", "n_samples", n_samples, minimum=0, maximum=MOST_SAMPLES)
    dtype = read_float_dtype("make_disk", dtype)
    generator = read_rng("make_disk", rng)
    return labelled(n_samples, dtype, lambda out: _draw(generator, out))


def load_disk(rng: RNG = None, *, dtype: DTypeLike = np.float32) -> tuple[Samples, Samples]:
    """Draw the report's data set: 1000 training and 1000 test samples.

    Parameters
    ----------
    rng : None, int, numpy.random.SeedSequence or numpy.random.Generator, optional
        Source of the points; the training set is drawn first.
    dtype : dtype, default: float32
        float16, float32 or float64.

    Returns
    -------
    train, test : tuple of numpy.ndarray
        Two pairs ``(x, y)``, each as from :func:`make_disk`.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or `dtype` is none of the three dtypes.
    ValueError
        If the seed is negative.

    Notes
    -----
    See Section III-A of the report.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_disk(rng=0)
    >>> x_train.shape, y_test.shape
    ((1000, 2), (1000,))
    """
    dtype = read_float_dtype("load_disk", dtype)
    generator = read_rng("load_disk", rng)
    return make_disk(N_TRAIN, rng=generator, dtype=dtype), make_disk(N_TEST, rng=generator, dtype=dtype)


def labelled(n_samples: int, dtype: np.dtype[Any], draw: Callable[[Points], None]) -> Samples:
    """Return `n_samples` points of `dtype` and their labels; `draw` fills one block of points per call."""
    x = np.empty((n_samples, 2), dtype)
    y = np.empty(n_samples, np.int64)
    for rows in blocks(n_samples):
        draw(x[rows])
        y[rows] = inside(x[rows])
    return x, y


def _draw(generator: np.random.Generator, out: NDArray[Any]) -> None:
    if out.dtype == np.float16:
        # NumPy draws no float16. Products with powers of two are exact, and 11 bits fit a float16.
        out[...] = np.floor(generator.random(out.shape, np.float32) * 2**11) * 2**-11
    else:
        generator.random(out=out, dtype=out.dtype.type)
