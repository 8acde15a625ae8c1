"""scikit-learn's tools around the estimators, and copies of all kinds."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import sklearn
from scipy.sparse import csc_array, csr_matrix
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_validate
from sklearn.neural_network import MLPClassifier as Original
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:scipy.optimize:DeprecationWarning"),  # an option that scikit-learn 1.6 gives it
]
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": 7, "max_iter": 30, "learning_rate_init": 0.03, "random_state": 0}


def test_searches_find_what_scikit_learn_finds_in_two_processes():
    grid = {"alpha": [1e-3, 3.0], "activation": ["relu", "tanh"]}
    theirs, ours = (GridSearchCV(kind(**SMALL), grid, cv=3, n_jobs=2).fit(X, Y) for kind in (Original, MLPClassifier))
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])
    assert ours.best_params_ == theirs.best_params_
    search = RandomizedSearchCV(MLPClassifier(**SMALL), grid, n_iter=2, cv=2, random_state=0).fit(X, Y)
    assert search.score(X, Y) > 0.8


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda mlp: make_pipeline(StandardScaler(), mlp),
        lambda mlp: CalibratedClassifierCV(mlp, cv=2),
        lambda mlp: StackingClassifier([("mlp", mlp), ("line", LogisticRegression())], cv=2),
        lambda mlp: BaggingClassifier(mlp, n_estimators=2, random_state=0),
    ],
    ids=["pipeline", "calibrated", "stacking", "bagging"],
)
def test_estimators_around_it_give_what_they_give_around_scikit_learn_s(wrapped):
    theirs, ours = (wrapped(kind(**SMALL)).fit(X, Y).predict_proba(X) for kind in (Original, MLPClassifier))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_permutation_importance():
    theirs, ours = (
        permutation_importance(kind(**SMALL).fit(X, Y), X, Y, n_repeats=2, random_state=0).importances
        for kind in (Original, MLPClassifier)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_weights_of_samples_are_routed():
    weight = np.where(Y == 0, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = MLPClassifier(**SMALL).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        result = cross_validate(mlp, X, Y, cv=2, params={"sample_weight": weight}, return_estimator=True)
    for estimator in result["estimator"]:
        assert estimator.predict(X[Y != 0]).min() > 0
        assert estimator.score(X[Y == 0], Y[Y == 0]) < 0.5  # nothing was learned of the class without weight


@pytest.mark.parametrize("container", [csr_matrix, csc_array])
def test_sparse_samples_are_dense_ones(container):
    dense, sparse = (MLPClassifier(**SMALL).fit(x, Y) for x in (X, container(X)))
    np.testing.assert_array_equal(dense.predict_proba(X), sparse.predict_proba(container(X)))


def test_sparse_labels_come_back_sparse():
    labels = csr_matrix(np.stack([Y > 0, Y > 1], axis=1).astype(int))
    theirs, ours = (kind(**SMALL).fit(X, labels).predict(X) for kind in (Original, MLPClassifier))
    assert type(theirs) is type(ours)
    np.testing.assert_array_equal(theirs.toarray(), ours.toarray())


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(library):
    frames = pytest.importorskip(library)
    names = ["a", "b", "c", "d"]
    frame = frames.DataFrame(dict(zip(names, X.T, strict=True)))
    mlp = MLPClassifier(**SMALL).fit(frame, frames.Series(Y))
    np.testing.assert_array_equal(mlp.feature_names_in_, names)
    np.testing.assert_array_equal(mlp.predict(frame), MLPClassifier(**SMALL).fit(X, Y).predict(X))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        mlp.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        mlp.predict(frame.rename({"a": "z"}) if library == "polars" else frame.rename(columns={"a": "z"}))
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL)).set_output(transform=library)
    assert pipeline.fit(frame, Y).score(frame, Y) > 0.8


# ---- copies


@pytest.mark.parametrize("name", ["pickle", "deepcopy", "joblib", "joblib, mapped"])
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_copy_predicts_and_trains_as_the_original(kind, solver, name, tmp_path):
    original = kind(**SMALL, solver=solver).fit(X, Y)
    if name == "pickle":
        other = pickle.loads(pickle.dumps(original))
    elif name == "deepcopy":
        other = copy.deepcopy(original)
    else:
        joblib.dump(original, tmp_path / "mlp")
        other = joblib.load(tmp_path / "mlp", mmap_mode="r" if "mapped" in name else None)
    before = original.predict(X)
    np.testing.assert_array_equal(other.predict(X), before)
    original.partial_fit(X, Y)
    np.testing.assert_array_equal(other.predict(X), before)  # nothing is shared
    other.partial_fit(X, Y)
    assert original.loss_ == other.loss_
    for a, b in zip(original.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    other.coefs_[0][...] = 0  # still the network's own
    assert not np.array_equal(other.predict(X), original.predict(X))


def test_a_pickle_has_the_weights_once():
    mlp = MLPClassifier(300, max_iter=1, solver="lbfgs", random_state=0).fit(X, Y)
    size = sum(array.nbytes for array in mlp.coefs_ + mlp.intercepts_)
    assert len(pickle.dumps(mlp)) < 3.5 * size + 10_000  # values, gradients


def test_a_clone_is_not_fitted():
    mlp = clone(MLPClassifier(**SMALL).fit(X, Y))
    assert mlp.get_params() == MLPClassifier(**SMALL).get_params()
    assert not hasattr(mlp, "coefs_")


def test_weights_may_be_changed_in_place_and_replaced():
    theirs, ours = (kind(**SMALL).fit(X, Y) for kind in (Original, MLPClassifier))
    for mlp in (theirs, ours):
        mlp.coefs_[0][1] = 0.3
        mlp.intercepts_[1][2] += 1
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)
    for mlp in (theirs, ours):
        mlp.coefs_[1] = mlp.coefs_[1][:, ::-1]
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)
    for mlp in (theirs, ours):
        mlp.partial_fit(X, Y)
        mlp.coefs_ = [np.ones((4, 2)), np.ones((2, 3))]
        mlp.intercepts_ = [np.zeros(2), np.arange(3.0)]
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize("names", [["coefs_"], ["intercepts_"], ["coefs_", "intercepts_"]])
def test_weights_of_two_layers_may_be_swapped(names):
    theirs, ours = (kind(**SMALL | {"hidden_layer_sizes": (5, 5, 5)}).fit(X, Y) for kind in (Original, MLPClassifier))
    for mlp in (theirs, ours):
        for arrays in (getattr(mlp, name) for name in names):
            arrays[1], arrays[2] = arrays[2], arrays[1]
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)


# ---- predictions


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_of_every_kind_are_predicted_alike(dtype):
    x = np.round(X * 8).astype(dtype)  # exact in every dtype
    mlp = MLPClassifier(**SMALL).fit(x, Y)
    expected = mlp.predict_proba(x)
    assert expected.dtype == dtype
    readonly = x.copy()
    readonly.flags.writeable = False
    others = [x.astype(np.float32), x.astype(float), x.astype(int), x.tolist(), np.asfortranarray(x), readonly]
    for other in [*others, x.astype(np.float16), csr_matrix(x), np.repeat(x, 2, axis=0)[::2]]:
        np.testing.assert_allclose(mlp.predict_proba(other), expected, rtol=1e-5, atol=1e-7)
    for i in range(5):
        np.testing.assert_allclose(mlp.predict_proba(x[i : i + 1]), expected[i : i + 1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X[:, :3], "X has 3 features, but .* is expecting 4 features as input"),
        (X[0], "Expected 2D array, got 1D array instead"),
        (X[:0], "Found array with 0 sample"),
        (np.full((1, 4), np.nan), "Input X contains NaN"),
        (np.full((1, 4), np.inf), "Input X contains infinity"),
        (np.array([[np.inf, -np.inf, 0, 0]]), "Input X contains infinity"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")  # scikit-learn adds the two infinities up
def test_samples_that_do_not_fit_are_refused(kind, x, words):
    with pytest.raises(ValueError, match=words):
        kind(**SMALL).fit(X, Y).predict(x)


@pytest.mark.parametrize("container", [np.array, csr_matrix])
def test_samples_too_large_for_float32_have_scikit_learn_s_message(container):
    x = container(np.full((1, 4), 1e300))
    theirs, ours = (kind(**SMALL).fit(X.astype(np.float32), Y) for kind in (Original, MLPClassifier))
    with pytest.raises(ValueError) as expected:
        theirs.fit(container(np.full((1, 4), np.inf, np.float32)), [0])
    for train in (
        ours.predict,
        lambda x: ours.partial_fit(x, [0]),
        lambda x: ours.set_params(dtype="float32").fit(x, [0]),
    ):
        with pytest.raises(ValueError) as error:
            train(x)
        assert str(error.value).splitlines()[0] == str(expected.value).splitlines()[0]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("asked", [None, "numpy"])
def test_the_engine_of_the_training_is_noted(asked, count, monkeypatch):
    pytest.importorskip("minidl_native")
    monkeypatch.setattr("minidl.training.engines.DEFAULT", "auto")
    expected, weight = "numpy" if asked else "native", np.ones(len(X))
    mlp = MLPClassifier(**SMALL, engine=asked, n_networks=count)
    assert mlp.fit(X, Y).engine_ == mlp.fit(X, Y, weight).engine_ == mlp.partial_fit(X, Y).engine_ == expected
    mlp.set_params(engine="numpy").partial_fit(X, Y)
    assert mlp.engine_ == "numpy"
    assert mlp.set_params(solver="lbfgs").fit(X, Y).engine_.startswith("numpy (")


def test_huge_samples_are_predicted():
    x = np.full((2, 4), 1e308)
    assert MLPRegressor(**SMALL, activation="tanh").fit(X, Y).predict(x).shape == (2,)


def test_the_compiled_engine_and_numpy_train_alike(monkeypatch):
    pytest.importorskip("minidl_native")
    engines, fit = [], minidl.fit

    def noted(*args, **options):
        history = fit(*args, **options)
        engines.append(history.engine)
        return history

    monkeypatch.setattr(minidl, "fit", noted)
    monkeypatch.setattr("minidl.training.engines.DEFAULT", "auto")
    native = MLPClassifier(**SMALL).fit(X, Y)
    monkeypatch.setattr("minidl.training.engines.DEFAULT", "numpy")
    numpy = MLPClassifier(**SMALL).fit(X, Y)
    assert engines[0] == "native"
    assert engines[1].startswith("numpy")
    np.testing.assert_allclose(native.loss_curve_, numpy.loss_curve_, rtol=1e-11)
