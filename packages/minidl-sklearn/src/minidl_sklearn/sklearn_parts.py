"""Every name of scikit-learn that is not documented as public, imported in this one file.

They are the decorator that its own estimators are written with, and functions that word its errors and warnings.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call as is_first_call
from sklearn.utils.optimize import _check_optimize_result as count_iterations
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

CLASSIFIER_CONSTRAINTS: dict[str, Any] = dict(MLPClassifier._parameter_constraints)
REGRESSOR_CONSTRAINTS: dict[str, Any] = dict(MLPRegressor._parameter_constraints)

__all__ = [
    "CLASSIFIER_CONSTRAINTS",
    "REGRESSOR_CONSTRAINTS",
    "Integral",
    "Interval",
    "Real",
    "StrOptions",
    "check_sample_weight",
    "count_iterations",
    "fit_context",
    "is_first_call",
    "take_rows",
]
