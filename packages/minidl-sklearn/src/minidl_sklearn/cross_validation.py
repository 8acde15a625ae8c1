"""Cross-validation of a grid of parameters, all networks of which are trained at once."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv

from minidl_sklearn.grid import Runs
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.sklearn_parts import take_rows


@dataclass(frozen=True)
class CrossValidation:
    """The result of `cross_val_networks`.

    Attributes
    ----------
    cv_results_ : dict of str to array
        As of scikit-learn's `GridSearchCV`, ready for a data frame: ``params``, ``param_`` and the name of each
        parameter, ``split0_test_score`` and so on, ``mean_test_score``, ``std_test_score``, ``rank_test_score``.
    best_index_ : int
        The row of `cv_results_` with the best mean score.
    best_params_ : dict
    best_score_ : float
    n_splits_ : int
        Number of folds.
    fit_seconds_ : float
        How long all trainings took.
    n_trainings_ : int
        How many trainings they were: one for all networks that could be trained at once, or for each block of them.
    """

    cv_results_: dict[str, Any]
    best_index_: int
    best_params_: dict[str, Any]
    best_score_: float
    n_splits_: int
    fit_seconds_: float
    n_trainings_: int


def cross_val_networks(
    estimator: BaseMLP,
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    param_grid: Any = None,
    scoring: Any = None,
    verbose: int = 0,
    n_jobs: int | None = None,
) -> CrossValidation:
    """Cross-validate a grid of parameters, and train the networks of all its points and folds at once.

    The scores are those of scikit-learn's `GridSearchCV` with the same folds. Points that differ in numbers alone are
    trained together: in `learning_rate_init`, `alpha`, `momentum`, `dropout`, `beta_1`, `beta_2`, `epsilon`, `clip`,
    `power_t`, `tol`, `n_iter_no_change` and `random_state`. Points that differ in other parameters, such as
    `hidden_layer_sizes`, and folds of other sizes, take a training each.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Of one network. It is not fitted itself.
    X : array-like or sparse matrix, shape (n_samples, n_features)
    y : array-like
    cv : int, splitter or iterable of (train, test)
        As for `GridSearchCV`.
    param_grid : dict of str to sequence, or list of dicts, optional
        As for `GridSearchCV`; without it the parameters of the estimator alone.
    scoring : str or callable, optional
        One score, as for `GridSearchCV`; without it that of the estimator.
    verbose : int
        Whether to print how many networks were trained, and how long that took.
    n_jobs : int or None
        Over how many processes, or workers of the backend of joblib that is set, the networks are spread: each trains
        a block of them at once. With a given `random_state` of the estimator the scores do not depend on it. None is
        that of ``joblib.parallel_config``, and else 1; -1 takes all.

    Returns
    -------
    CrossValidation

    Raises
    ------
    TypeError
        For another estimator, several scores, or an `n_jobs` that is no integer.
    ValueError
        For an estimator of several networks, for ``n_jobs=0``, or if no network could be trained. A network that could
        not, or whose weights are not finite, has the score nan, with a FitFailedWarning.

    Notes
    -----
    Networks are trained one after another with "lbfgs", callbacks, classes of weight zero or "balanced", and where a
    fold lacks a class.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from minidl_sklearn import MLPClassifier, cross_val_networks
    >>> x, y = load_iris(return_X_y=True)
    >>> grid = {"alpha": [1e-4, 1e-1], "learning_rate_init": [0.01, 0.03], "random_state": [0, 1, 2]}
    >>> result = cross_val_networks(MLPClassifier((10,), max_iter=1000), x, y, param_grid=grid)
    >>> result.n_trainings_, result.cv_results_["split0_test_score"].shape, result.best_score_ > 0.9
    (1, (12,), True)
    """
    _check(estimator, scoring, n_jobs)
    scorer = check_scoring(estimator, scoring=scoring)
    candidates = list(ParameterGrid({} if param_grid is None else param_grid))
    for params in candidates:
        clone(estimator).set_params(**params)  # an unknown name is an error before anything is trained
    folds = list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y))
    begin = time.perf_counter()
    runs = Runs(estimator, candidates, X, y, [train for train, _ in folds], n_jobs)
    fitted = runs.fit()
    seconds = time.perf_counter() - begin
    scores = np.full((len(candidates), len(folds)), math.nan)
    for (point, fold), network in fitted.items():
        test = folds[fold][1]
        scores[point, fold] = scorer(network, take_rows(X, test), take_rows(y, test))
    _warn_of_failures(runs.failures, scores.size)
    if verbose:
        speed = f"{seconds:.2f} s, {scores.size / seconds:.1f} networks per second"
        print(f"{scores.size} networks in {runs.trainings} trainings: {speed}")  # noqa: T201 - what `verbose` asks for
    return _result(candidates, scores, seconds, runs.trainings)


def _check(estimator: Any, scoring: Any, n_jobs: Any) -> None:
    """Refuse what is no estimator of one network, several scores, and what is no number of workers."""
    if not isinstance(estimator, BaseMLP):
        raise TypeError(f"cross_val_networks: expected an MLPClassifier or MLPRegressor, got {estimator!r}")
    if estimator.n_networks != 1:
        raise ValueError(f"cross_val_networks: expected an estimator with n_networks=1, got {estimator.n_networks}")
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise TypeError(f"cross_val_networks: expected one score as scoring, got {scoring!r}")
    if not (n_jobs is None or isinstance(n_jobs, Integral)):
        raise TypeError(f"cross_val_networks: expected n_jobs to be an integer or None, got {n_jobs!r}")
    if n_jobs == 0:
        raise ValueError("cross_val_networks: expected n_jobs at least 1, or below 0, got 0")


def _warn_of_failures(failures: list[str], count: int) -> None:
    """Warn of networks that could not be trained; raise if that is all of them."""
    if not failures:
        return
    words = f"{len(failures)} of {count} networks could not be trained, the first one: {failures[0]}"
    if len(failures) == count:
        raise ValueError(f"cross_val_networks: {words}")
    warnings.warn(f"cross_val_networks: {words}", FitFailedWarning, stacklevel=3)


def _result(candidates: list[dict[str, Any]], scores: np.ndarray, seconds: float, trainings: int) -> CrossValidation:
    mean = scores.mean(axis=1)
    worst = np.nan_to_num(mean, nan=np.nanmin(mean) - 1 if np.isfinite(mean).any() else 0.0)
    rank = rankdata(-worst, method="min").astype(np.int32)
    columns = {f"param_{name}": values for name, values in _columns(candidates)}
    splits = {f"split{fold}_test_score": column for fold, column in enumerate(scores.T)}
    results = {
        **columns, "params": candidates, **splits, "mean_test_score": mean, "std_test_score": scores.std(axis=1),
        "rank_test_score": rank,
    }  # fmt: skip
    best = int(rank.argmin())
    return CrossValidation(results, best, candidates[best], float(mean[best]), scores.shape[1], seconds, trainings)


def _columns(candidates: list[dict[str, Any]]) -> Iterator[tuple[str, np.ma.MaskedArray[Any, Any]]]:
    """Iterate over the parameters, with one value for each point; masked where a point has none."""
    for name in sorted({name for params in candidates for name in params}):
        column = np.ma.MaskedArray(np.empty(len(candidates), object), mask=True)
        for point, params in enumerate(candidates):
            if name in params:
                column[point] = params[name]
        yield name, column
