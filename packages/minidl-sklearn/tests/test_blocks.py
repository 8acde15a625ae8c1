"""Networks that joblib's workers train in blocks: bit for bit those of one process, whatever happens to a worker."""

import os
import signal
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from sklearn.utils.parallel import Parallel

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor, cross_val_networks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 20, "random_state": 3, "n_networks": 5}
STOPS = {"max_iter": 60, "early_stopping": True, "learning_rate_init": 0.05}
KILLS = pytest.mark.skipif(os.name != "posix", reason="a process kills itself by a signal")


def bits(estimator):
    """Return what a training has set, as bytes by names."""
    names = "loss_curve_", "validation_scores_", "loss_", "n_iter_", "t_", "random_state", "engine_", "out_activation_"
    holders = {"all": estimator, **{str(r): network for r, network in enumerate(estimator.networks_)}}
    found = {f"{who} {name}": vars(each).get(name) for who, each in holders.items() for name in names}
    for r, network in enumerate(estimator.networks_):
        found |= {f"{r} array {i}": array for i, array in enumerate([*network.coefs_, *network.intercepts_])}
    found |= {f"rows {r}": rows for r, rows in enumerate(getattr(estimator, "networks_samples_", []))}
    return {name: np.asarray(value).tobytes() for name, value in found.items() if value is not None}


CASES = {
    "adam": (MLPClassifier, X, Y, {}),
    "numpy": (MLPClassifier, X, Y, {"engine": "numpy", "dropout": 0.2, "normalize": "batch", **STOPS}),
    "float32, adaptive": (
        MLPClassifier, X, Y,
        {"dtype": "float32", "solver": "sgd", "learning_rate": "adaptive", "max_iter": 90, "tol": 1e-2,
         "learning_rate_init": 0.1},
    ),
    "early stopping": (MLPClassifier, X, Y, {**STOPS, "dropout": 0.1}),
    "a set of its own": (MLPClassifier, X, Y, {**STOPS, "validation_data": (X[::5], Y[::5])}),
    "draws": (MLPRegressor, X, Y, {"bagging": True, "schedule": minidl.CosineSchedule(0.1, steps=30)}),
    "labels": (MLPClassifier, X, np.stack([Y > 0, Y > 1], axis=1).astype(int), {}),
    "class weights": (MLPClassifier, X, Y, {"class_weight": "balanced", **STOPS}),
    "one after another": (MLPClassifier, X, Y, {"class_weight": {0: 0.0}}),
    "lbfgs": (MLPClassifier, X, Y, {"solver": "lbfgs", "max_iter": 5}),
    "sparse": (MLPClassifier, csr_matrix(X), Y, {}),
    "callbacks": (MLPClassifier, X, Y, {"callbacks": [lambda epoch, _: epoch == 7]}),
    "the mean": (MLPClassifier, X, Y, {**STOPS, "stopping": "mean"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_number_of_blocks_gives_the_same_networks(case):
    kind, x, y, options = CASES[case]
    whole = kind(**SMALL | options).fit(x, y)
    for jobs in (2, 5):
        with joblib.parallel_config("threading", n_jobs=jobs):
            spread = kind(**SMALL | options).fit(x, y)
        assert bits(spread) == bits(whole)
        assert [network.get_params() for network in spread.networks_] == [
            network.get_params() for network in whole.networks_
        ]
        np.testing.assert_array_equal(spread.predict(x), whole.predict(x))


def test_a_warm_start_and_a_partial_fit_go_on_with_networks_from_workers():
    both = [MLPClassifier(**SMALL, warm_start=True, n_jobs=jobs) for jobs in (None, 2)]
    with joblib.parallel_config("threading"):
        for estimator in both:
            estimator.fit(X, Y).fit(X, Y).partial_fit(X, Y)
    assert len(both[0].networks_[0].loss_curve_) == 41
    assert bits(both[0]) == bits(both[1])


def test_a_failure_in_a_worker_leaves_the_estimator_as_it_was():
    def fail(rng, shape):  # noqa: ARG001 - a rule of initial weights
        raise OSError("no more")

    def stop(t):
        return 0.1 if t < 5 else fail(0, 0)

    estimator = MLPClassifier(**SMALL, n_jobs=2)
    with joblib.parallel_config("threading"):
        before = estimator.fit(X, Y).predict_proba(X)
        estimator.set_params(init=fail, hidden_layer_sizes=(4,))
        with pytest.raises(OSError, match="no more"):
            estimator.fit(X[:, :2], Y > 0)
        estimator.set_params(init=None, hidden_layer_sizes=(7, 5), warm_start=True, schedule=stop)
        with pytest.raises(OSError, match="no more"):
            estimator.fit(X, Y)
    np.testing.assert_array_equal(estimator.set_params(init=None).predict_proba(X), before)


def test_one_warning_for_all_blocks():
    # In processes: in threads, scikit-learn's own catching of warnings may lose those of others.
    with joblib.parallel_config("loky", n_jobs=2), pytest.warns(ConvergenceWarning) as said:
        MLPClassifier(**SMALL).fit(X, Y)
    messages = [str(one.message) for one in said if one.category is ConvergenceWarning]
    assert len(messages) == 1
    assert "in 5 of 5 networks" in messages[0]


@pytest.mark.parametrize("jobs", ["all", 0, 1.5, float("nan")])
@pytest.mark.parametrize("networks", [1, 5])
def test_n_jobs_must_be_a_whole_number(jobs, networks):
    with pytest.raises(ValueError, match=f"The 'n_jobs' parameter of MLPClassifier must be an int .* Got {jobs!r}"):
        MLPClassifier(**SMALL | {"n_networks": networks}, n_jobs=jobs).fit(X, Y)
    error, word = (ValueError, "at least 1, or below 0") if jobs == 0 else (TypeError, "to be an integer or None")
    with pytest.raises(error, match=f"cross_val_networks: expected n_jobs {word}, got {jobs!r}"):
        cross_val_networks(MLPClassifier((3,)), X, Y, n_jobs=jobs)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_no_more_workers_start_than_there_are_blocks(backend, monkeypatch):
    started = []
    call = Parallel.__call__
    monkeypatch.setattr(Parallel, "__call__", lambda self, tasks: started.append(self.n_jobs) or call(self, tasks))
    with joblib.parallel_config(backend):
        MLPClassifier((3,), max_iter=2, n_networks=2, n_jobs=10**12, random_state=0).fit(X, Y)
        cross_val_networks(MLPClassifier((3,), max_iter=2, random_state=0), X, Y, cv=2, n_jobs=10**12)
    assert started == [2, 2]


GRIDS = {
    "numbers": (MLPClassifier((7, 5), max_iter=15, random_state=3), X, Y, {"alpha": [1e-4, 1.0]}, 5),
    "folds of two sizes": (
        MLPRegressor(hidden_layer_sizes=(7,), max_iter=15, random_state=3), *load_diabetes(return_X_y=True),
        {"hidden_layer_sizes": [(7,), (3, 3)], "alpha": [1e-4, 1.0]}, 5,
    ),
    "one by one": (MLPClassifier((7,), max_iter=15, random_state=3, class_weight="balanced"), X, Y, {}, 3),
    "a state": (MLPClassifier((7,), max_iter=15, random_state=np.random.RandomState(7)), X, Y, {"alpha": [0.1, 1]}, 3),
}  # fmt: skip


@pytest.mark.parametrize("grid", GRIDS)
def test_the_scores_of_a_grid_do_not_depend_on_the_workers(grid):
    estimator, x, y, params, cv = GRIDS[grid]
    expected = cross_val_networks(estimator, x, y, cv=cv, param_grid=params).cv_results_
    for jobs in (2, 3):
        with joblib.parallel_config("threading"):
            found = cross_val_networks(estimator, x, y, cv=cv, param_grid=params, n_jobs=jobs).cv_results_
        for name in (name for name in found if "score" in name):
            assert found[name].tobytes() == expected[name].tobytes(), name


def test_callbacks_of_a_grid_are_called_in_this_process(monkeypatch):
    monkeypatch.setattr("minidl_sklearn.grid.cut", None)
    epochs = []
    estimator = MLPClassifier((7,), max_iter=4, random_state=0, callbacks=[lambda epoch, _: epochs.append(epoch)])
    cross_val_networks(estimator, X, Y, cv=2, n_jobs=2)
    assert epochs == [1, 2, 3, 4] * 2


def test_unseeded_networks_of_a_grid_follow_numpy_s_global_seed():
    def scores():
        np.random.seed(5)  # noqa: NPY002 - where scikit-learn draws without a random_state
        with joblib.parallel_config("threading"):
            return cross_val_networks(MLPClassifier((7,), max_iter=5), X, Y, cv=3, n_jobs=2).cv_results_

    one, other = scores(), scores()
    assert one["mean_test_score"] == other["mean_test_score"]


def weights_that_kill(path, times=1):
    """Return a rule of initial weights that kills its process, so many times in all."""
    path, here = Path(path), os.getpid()

    def rule(rng, shape):
        if os.getpid() != here:
            for time in range(times):
                try:
                    (path / str(time)).touch(exist_ok=False)
                except FileExistsError:
                    continue
                os.kill(os.getpid(), signal.SIGKILL)
        return rng.normal(0, 0.3, shape)

    return rule


@KILLS
@pytest.mark.slow
def test_a_process_that_dies_costs_its_block_alone(tmp_path):
    estimator = MLPClassifier(**SMALL, init=weights_that_kill(tmp_path))
    whole = clone(estimator).fit(X, Y)
    with pytest.warns(RuntimeWarning, match="a process has died; its networks are trained again"):
        spread = clone(estimator).set_params(n_jobs=2).fit(X, Y)
    assert (tmp_path / "0").exists()
    assert bits(spread) == bits(whole)
    scores = [cross_val_networks(clone(estimator).set_params(n_networks=1), X, Y, n_jobs=n) for n in (None, 2)]
    assert scores[0].cv_results_["split4_test_score"] == scores[1].cv_results_["split4_test_score"]


@KILLS
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:a process has died")
def test_processes_that_always_die_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("minidl_sklearn.blocks.MOST_DEATHS", 1)
    with pytest.raises(BrokenProcessPool):
        MLPClassifier(**SMALL, init=weights_that_kill(tmp_path, times=99), n_jobs=2).fit(X, Y)


@pytest.mark.slow
def test_long_arrays_that_processes_share():
    x = np.tile(X, (1, 300))  # over a megabyte, as the weights are: a map, which a worker must not write to
    options = SMALL | {"n_networks": 2, "hidden_layer_sizes": (150,), "max_iter": 2, "warm_start": True}
    whole, spread = (MLPClassifier(**options, n_jobs=jobs) for jobs in (None, 2))
    for estimator in (whole, spread):
        estimator.fit(x, Y).fit(x, Y)
    np.testing.assert_allclose(spread.networks_[1].coefs_[1], whole.networks_[1].coefs_[1], rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_networks(cluster):
    whole = MLPClassifier(**SMALL | STOPS).fit(X, Y)
    with joblib.parallel_config("dask", client=cluster):
        spread = MLPClassifier(**SMALL | STOPS, n_jobs=-1).fit(X, Y)
        scores = cross_val_networks(MLPClassifier(max_iter=5, random_state=0), X, Y, n_jobs=-1)
    assert bits(spread) == bits(whole)
    here = cross_val_networks(MLPClassifier(max_iter=5, random_state=0), X, Y)
    assert (scores.n_trainings_, scores.best_score_) == (2, here.best_score_)


@KILLS
@pytest.mark.slow
def test_dask_workers_that_die_cost_their_blocks_alone(cluster, tmp_path):
    estimator = MLPClassifier(
        **SMALL, init=weights_that_kill(tmp_path, times=2)
    )  # both workers, with all that they hold
    whole = clone(estimator).fit(X, Y)
    with joblib.parallel_config("dask", client=cluster):
        spread = clone(estimator).set_params(n_jobs=2).fit(X, Y)
    assert (tmp_path / "1").exists()
    assert bits(spread) == bits(whole)


@pytest.mark.slow
def test_ray_gives_the_same_networks():
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray  # noqa: PLC0415 - where there is ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        with joblib.parallel_config("ray", n_jobs=2):
            spread = MLPClassifier(**SMALL | STOPS).fit(X, Y)
    finally:
        ray.shutdown()
    assert bits(spread) == bits(MLPClassifier(**SMALL | STOPS).fit(X, Y))
