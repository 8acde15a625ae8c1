"""A training that fails before its first step leaves the estimator as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Set the attributes of an estimator, and of its networks, back to what they were if the block raises.

    The checks of a training set attributes as they go, such as ``n_features_in_`` and ``classes_``. With those of a
    training that was refused, the network of the one before would predict wrong classes.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose attributes the block replaces; what it writes into them stays.
    """
    each = [estimator, *vars(estimator).get("networks_", [])]
    before = [dict(vars(one)) for one in each]
    try:
        yield
    except BaseException:
        for one, attributes in zip(each, before, strict=True):
            vars(one).clear()
            vars(one).update(attributes)
        raise
