"""Solvers, schedules, clipping and callbacks beyond scikit-learn's."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": 7, "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}


def weights(estimator):
    return np.concatenate([array.ravel() for array in (*estimator.coefs_, *estimator.intercepts_)])


def started():
    """Return the network of an estimator that has made no step that can be seen, in one batch and in order."""
    return MLPClassifier(**SMALL | {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}).fit(X, Y).to_minidl()


@pytest.mark.parametrize(
    ("options", "optimizer", "l2"),
    [
        (
            {"solver": "adamw", "alpha": 0.3},
            lambda model: minidl.AdamW(model, 0.03, weight_decay=0.3, decay_biases=False, eps_hat=True),
            0.0,
        ),
        ({"solver": "rmsprop", "alpha": 0.3}, lambda model: minidl.RMSprop(model, 0.03, alpha=0.999), 0.3),
        (
            {"schedule": minidl.CosineSchedule(0.1, steps=30)},
            lambda model: minidl.Adam(model, minidl.CosineSchedule(0.1, steps=30), eps_hat=True),
            1e-4,
        ),
        (
            {"solver": "sgd", "schedule": lambda t: 0.1 / t},
            lambda model: minidl.SGD(model, lambda t: 0.1 / t, momentum=0.9, nesterov=True),
            1e-4,
        ),
        (
            {"solver": "sgd", "clip": 0.01},
            lambda model: minidl.SGD(model, 0.03, momentum=0.9, nesterov=True, clip=0.01),
            1e-4,
        ),
        ({"clip": 0.01}, lambda model: minidl.Adam(model, 0.03, eps_hat=True, clip=0.01), 1e-4),
    ],
    ids=["adamw", "rmsprop", "schedule", "callable", "clip", "clip of adam"],
)
def test_the_solver_is_minidl_s(options, optimizer, l2):
    estimator = MLPClassifier(**SMALL | {"shuffle": False, "batch_size": 50}, **options).fit(X, Y)
    model, loss = started(), minidl.CrossEntropyLoss("mean")
    minidl.fit(model, loss, optimizer(model), X, Y, epochs=10, batch_size=50, shuffle=False, l2=l2)
    np.testing.assert_allclose(estimator.to_minidl().values, model.values, rtol=1e-9, atol=1e-12)
    assert not np.allclose(weights(estimator), weights(MLPClassifier(**SMALL, batch_size=50).fit(X, Y)), rtol=1e-3)


def test_a_schedule_goes_on_in_partial_fit_and_begins_again_in_fit():
    steps = []
    estimator = MLPClassifier(**SMALL, batch_size=50, schedule=lambda t: steps.append(t) or 0.01)
    estimator.partial_fit(X, Y, classes=[0, 1, 2])
    steps.clear()
    estimator.partial_fit(X, Y)
    assert min(steps) == 4
    estimator.set_params(warm_start=True, max_iter=2).fit(X, Y)
    assert min(steps) == 1


@pytest.mark.parametrize("weight", [None, np.ones(len(X))], ids=["alone", "weights"])
def test_callbacks_are_told_the_losses_as_the_estimator_has_them(weight):
    told = []

    class Watch(minidl.Callback):
        def start(self, run):
            told.append(("start", run.epochs, run.model, run.optimizer))

        def __call__(self, epoch, history):
            assert history.val_loss[-1] == estimator.validation_loss_curve_[-1]
            assert history.metrics["val_score"][-1] == estimator.validation_scores_[-1]
            told.append((epoch, history.loss[-1]))

        def finish(self, error):
            told.append(("finish", error))

    estimator = MLPRegressor(
        **SMALL, validation_data=(X[::2], Y[::2]), callbacks=[Watch(), lambda epoch, _history: epoch == 4]
    )
    estimator.fit(X, Y, weight)
    assert told[0][:2] == ("start", 10)
    assert isinstance(told[0][3], minidl.Adam)
    assert told[1:-1] == list(enumerate(estimator.loss_curve_, start=1))
    assert told[-1] == ("finish", None)
    assert estimator.n_iter_ == 4


@pytest.mark.parametrize("y", [Y, np.stack([Y, -Y], axis=1)], ids=["one", "two"])
def test_minidl_s_callbacks(y):
    options = SMALL | {"max_iter": 200, "learning_rate_init": 0.2, "tol": 0.0}
    stopping = minidl.EarlyStopping(monitor="val_score", patience=5)
    estimator = MLPRegressor(**options, validation_data=(X[::3], y[::3]), callbacks=[stopping]).fit(X, y)
    assert estimator.n_iter_ == stopping.best_epoch + 5 < 200
    assert estimator.score(X[::3], y[::3]) == pytest.approx(estimator.best_validation_score_)
    with pytest.raises(ValueError, match="EarlyStopping: expected monitor to be a curve of this training, loss, got"):
        MLPRegressor(**options, callbacks=[minidl.EarlyStopping()]).fit(X, y)


def test_a_callback_that_ends_the_training_is_no_failure_to_converge():
    for answers, count in ((np.True_, 0), (None, 1)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            MLPClassifier(**SMALL, callbacks=[lambda *_, answer=answers: answer]).fit(X, Y)
        assert len(caught) == count


def test_a_callback_may_change_rate_and_weights():
    model = []

    class Halve(minidl.Callback):
        def start(self, run):
            self.optimizer = run.optimizer
            model.append(run.model)

        def __call__(self, *_):
            self.optimizer.lr /= 2

    estimator = MLPClassifier(**SMALL, batch_size=50, shuffle=False, callbacks=[Halve()]).fit(X, Y)
    by_schedule = MLPClassifier(
        **SMALL, batch_size=50, shuffle=False, schedule=lambda t: 0.03 / 2 ** ((t - 1) // 3)
    ).fit(X, Y)
    np.testing.assert_allclose(weights(estimator), weights(by_schedule), rtol=1e-9)
    model[0].values[...] = 0
    assert not weights(estimator).any()


def test_clones_have_schedules_and_callbacks():
    estimator = MLPClassifier(
        **SMALL, schedule=minidl.PowerSchedule(0.1, kappa=0.5), callbacks=[minidl.EarlyStopping(monitor="loss")]
    )
    copied = clone(estimator).fit(X, Y)
    np.testing.assert_array_equal(weights(copied), weights(estimator.fit(X, Y)))


@pytest.mark.parametrize("engine", ["native", "numpy"])
@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.2, "activation": ["gelu", "silu"], "normalize": "layer", "solver": "adamw", "clip": 1.0},
        {"solver": "rmsprop", "schedule": lambda t: 0.01 / t, "label_smoothing": 0.1, "class_weight": "balanced"},
    ],
    ids=["layers", "training"],
)
def test_the_compiled_engine_runs_it(engine, options):
    pytest.importorskip("minidl_native")
    parameters = SMALL | {"hidden_layer_sizes": (7, 5)} | options
    estimator = MLPClassifier(**parameters, engine=engine).fit(X, Y)
    np.testing.assert_allclose(weights(estimator), weights(MLPClassifier(**parameters).fit(X, Y)), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("callback", [1, minidl.EarlyStopping])
def test_a_callback_that_is_none_is_refused(callback):
    with pytest.raises(TypeError, match="callbacks: expected objects that can be called, got "):
        MLPClassifier(**SMALL, callbacks=[callback]).fit(X, Y)
