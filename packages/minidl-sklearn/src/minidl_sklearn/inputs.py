"""The samples that a fitted estimator gets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data


def as_samples(x: Any, dtype: Any) -> np.ndarray:
    """Return validated samples as the network takes them: dense, of its dtype, row by row in memory.

    Parameters
    ----------
    x : array or sparse matrix, shape (n_samples, n_features)
    dtype : dtype

    Raises
    ------
    ValueError
        If a number is too large for the dtype.
    """
    with np.errstate(over="ignore"):
        samples = np.ascontiguousarray(x.toarray() if issparse(x) else x, dtype)
    if samples.dtype != x.dtype:
        assert_all_finite(samples, input_name="X")
    return samples


def check_samples(estimator: Any, x: Any, dtype: Any) -> np.ndarray:
    """Return the samples to predict; what is not plainly right is left to scikit-learn's checks.

    Those take far longer than a small network's prediction of one sample. They find nothing in a finite array of the
    network's dtype and width, unless the estimator knows names of features.

    Parameters
    ----------
    estimator : BaseMLP
    x : array-like or sparse matrix, shape (n_samples, n_features)
    dtype : dtype
    """
    if (
        type(x) is np.ndarray
        and x.dtype == dtype
        and x.ndim == 2
        and x.shape[1] == estimator.n_features_in_
        and x.flags.c_contiguous
        and x.size
        and not hasattr(estimator, "feature_names_in_")
        and math.isfinite(np.vdot(x, x))  # faster than `isfinite` and `all`; one too large has the checks decide
    ):
        return x
    return as_samples(validate_data(estimator, x, accept_sparse=["csr", "csc"], reset=False), dtype)
