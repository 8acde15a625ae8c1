"""Cross-validation of all networks at once, beside scikit-learn's grid search."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.preprocessing import scale

from minidl_sklearn import MLPClassifier, MLPRegressor, cross_val_networks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
XD, YD = load_diabetes(return_X_y=True)
YD = YD / 100
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 15, "random_state": 3, "learning_rate_init": 0.01}

# estimator, x, y, grid, folds, number of trainings
CASES = {
    "adam": (
        MLPClassifier(**SMALL), X, Y,
        {"alpha": [1e-4, 1.0], "learning_rate_init": [0.01, 0.1], "beta_1": [0.8, 0.9]}, 5, 1,
    ),
    "sgd": (
        MLPClassifier(**SMALL, solver="sgd"), X, Y,
        {"alpha": [1e-4, 1.0], "momentum": [0.0, 0.5, 0.9], "learning_rate_init": [0.01, 0.1]}, 5, 2,
    ),
    "folds of two sizes": (MLPRegressor(**SMALL), XD, YD, {"alpha": [1e-4, 1.0], "epsilon": [1e-8, 1e-3]}, 5, 2),
    "seeds": (MLPRegressor(**SMALL), XD, YD, {"random_state": [0, 1, 2]}, KFold(4, shuffle=True, random_state=0), 2),
    "a state": (
        MLPClassifier(**SMALL | {"random_state": np.random.RandomState(7)}), X, Y, {"alpha": [0.1, 1.0]}, 3, 1,
    ),
    "dropout": (
        MLPClassifier(**SMALL), X, Y > 0, {"dropout": [0.0, 0.1, 0.3], "alpha": [0.1, 1.0], "clip": [None, 0.1]}, 3, 2,
    ),
    "other parameters": (
        MLPClassifier(**SMALL), X, Y,
        [{"hidden_layer_sizes": [(5,), (7, 5)], "alpha": [0.1, 1.0]}, {"activation": ["tanh"]}], 3, 3,
    ),
    "early stopping": (
        MLPClassifier(**SMALL | {"max_iter": 60, "early_stopping": True}), X, Y,
        {"learning_rate_init": [0.01, 0.1], "tol": [1e-4, 1e-2], "n_iter_no_change": [3, 10]}, 5, 1,
    ),
    "rates that fall": (
        MLPClassifier(**SMALL, solver="sgd", learning_rate="invscaling"), X, Y,
        {"power_t": [0.1, 0.5], "learning_rate_init": [0.1, 0.3]}, 3, 1,
    ),
    "decay": (MLPClassifier(**SMALL, solver="adamw"), X, Y, {"alpha": [0.01, 0.3]}, 3, 1),
    "no grid": (MLPClassifier(**SMALL), X, Y, {}, StratifiedKFold(4), None),
    "labels": (MLPClassifier(**SMALL), X, np.stack([Y > 0, Y > 1], axis=1).astype(int), {"alpha": [0.1, 1.0]}, 3, 1),
    "one by one": (MLPClassifier(**SMALL, class_weight="balanced"), X, Y, {"alpha": [0.1, 1.0]}, 3, 6),
    "class weights": (MLPClassifier(**SMALL, class_weight={0: 2.0}), X, Y, {"alpha": [0.1, 1.0]}, 3, 1),
    "targets": (MLPRegressor(**SMALL), X, np.stack([Y, 2 * Y], axis=1), {"alpha": [0.1, 1.0]}, 3, 1),
    "missing classes": (MLPClassifier(**SMALL), X, Y, {"alpha": [0.1, 1.0]}, KFold(3), 6),
    "several": (MLPClassifier(**SMALL), X, Y, {"n_networks": [1, 3]}, 3, 4),
    "sparse": (MLPClassifier(**SMALL), csr_matrix(X), Y, {"alpha": [0.1, 1.0]}, 3, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_scores_are_those_of_a_grid_search(case):
    estimator, x, y, grid, cv, trainings = CASES[case]
    result = cross_val_networks(estimator, x, y, cv=cv, param_grid=grid)
    search = GridSearchCV(estimator, grid, cv=cv).fit(x, y)
    assert result.cv_results_["params"] == search.cv_results_["params"]
    scores = [name for name in search.cv_results_ if name.endswith("test_score") and not name.startswith("rank")]
    for name in scores:
        np.testing.assert_allclose(result.cv_results_[name], search.cv_results_[name], rtol=1e-9, err_msg=name)
    np.testing.assert_array_equal(result.cv_results_["rank_test_score"], search.cv_results_["rank_test_score"])
    for name in (name for name in search.cv_results_ if name.startswith("param_")):
        np.testing.assert_array_equal(result.cv_results_[name].mask, search.cv_results_[name].mask)
        assert result.cv_results_[name].tolist() == search.cv_results_[name].tolist()
    assert (result.best_params_, result.best_index_) == (search.best_params_, search.best_index_)
    assert result.best_score_ == pytest.approx(search.best_score_, rel=1e-9)
    assert result.n_splits_ == search.n_splits_
    assert trainings is None or result.n_trainings_ == trainings


def test_scores_may_be_chosen_and_a_line_printed(capsys):
    grid = {"alpha": [0.1, 1.0]}
    result = cross_val_networks(MLPClassifier(**SMALL), X, Y, cv=3, param_grid=grid, scoring="neg_log_loss", verbose=1)
    search = GridSearchCV(MLPClassifier(**SMALL), grid, cv=3, scoring="neg_log_loss").fit(X, Y)
    np.testing.assert_allclose(result.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"], rtol=1e-9)
    assert capsys.readouterr().out.startswith("6 networks in 1 trainings: ")
    assert result.fit_seconds_ > 0


def test_the_estimator_stays_as_it_is():
    estimator = MLPClassifier(**SMALL)
    cross_val_networks(estimator, X, Y, cv=3)
    assert not hasattr(estimator, "coefs_")
    assert not hasattr(estimator, "classes_")


@pytest.mark.filterwarnings("ignore:fit. replicate", "ignore:overflow", "ignore:invalid value")
def test_a_network_that_diverges_has_no_score():
    estimator = MLPRegressor(**SMALL, solver="sgd")
    grid = {"learning_rate_init": [1e10, 0.01]}
    with pytest.warns(FitFailedWarning, match="3 of 6 networks could not be trained.*non-finite"):
        result = cross_val_networks(estimator, XD, YD, cv=3, param_grid=grid)
    assert np.isnan(result.cv_results_["mean_test_score"]).tolist() == [True, False]
    assert result.cv_results_["rank_test_score"].tolist() == [2, 1]
    assert result.best_params_ == {"learning_rate_init": 0.01}
    with pytest.raises(ValueError, match="3 of 3 networks could not be trained"):
        cross_val_networks(estimator.set_params(learning_rate_init=1e10), XD, YD, cv=3)


@pytest.mark.parametrize(
    ("estimator", "options", "error", "words"),
    [
        (Ridge(), {}, TypeError, "expected an MLPClassifier or MLPRegressor, got Ridge"),
        (MLPClassifier(n_networks=2), {}, ValueError, "expected an estimator with n_networks=1, got 2"),
        (MLPClassifier(), {"scoring": ["accuracy", "f1"]}, TypeError, "expected one score as scoring"),
        (MLPClassifier(), {"param_grid": {"alfa": [1]}}, ValueError, "Invalid parameter 'alfa'"),
        (MLPClassifier(), {"param_grid": {"alpha": [-1.0]}}, ValueError, "The 'alpha' parameter"),
    ],
)
def test_what_cannot_be_validated_is_refused(estimator, options, error, words):
    with pytest.raises(error, match=words):
        cross_val_networks(estimator, X, Y, **options)
