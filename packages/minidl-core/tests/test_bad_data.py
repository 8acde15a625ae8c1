"""Issue A, "Bad input", for fit, evaluate and predict: refused before anything is drawn or changed."""

import numpy as np
import pytest

import minidl

X, Y = np.ones((6, 3), np.float32), np.ones((6, 2), np.float32)
SIX = r"got x \(6, 3\) and y"


@pytest.fixture
def training(network, samples):
    """Return what `fit` is given, in the middle of a training."""
    model, loss, generator = network(), minidl.MSELoss("mean"), np.random.default_rng(9)
    optimizer = minidl.Adam(model)
    minidl.fit(model, loss, optimizer, *samples, epochs=1, batch_size=4, rng=generator)
    return model, loss, optimizer, generator


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"epochs": -1}, ValueError, "fit: expected epochs to be at least 0, got -1"),
        ({"epochs": 1.0}, TypeError, "fit: expected epochs to be an integer, got 1.0"),
        ({"batch_size": 0}, ValueError, "fit: expected batch_size to be at least 1, got 0"),
        ({"batch_size": -5}, ValueError, "fit: expected batch_size to be at least 1, got -5"),
        ({"batch_size": 2.5}, TypeError, "fit: expected batch_size to be an integer, got 2.5"),
        ({"batch_size": True}, TypeError, "fit: expected batch_size to be an integer, got True"),
        ({"rng": -1}, ValueError, "fit: expected rng to be None, an int >= 0, .* got -1"),
        ({"rng": "seed"}, TypeError, "fit: expected rng to be None, .* got 'seed'"),
        ({"rng": [1, 2]}, ValueError, r"fit: expected one rng, or one per replicate \(\), got 2"),
        ({"y": Y[:5]}, ValueError, rf"fit: expected as many targets as samples, {SIX} \(5, 2\)"),
        ({"y": np.array(1.0)}, ValueError, r"fit: expected y to be \(sample, \.\.\.\).* got \(\)"),
        ({"x": X[:0], "y": Y[:0]}, ValueError, r"fit: expected at least one sample, got x \(0, 3\)"),
        (
            {"validation": (X, Y[:5])},
            ValueError,
            rf"fit: validation: expected as many targets as samples, {SIX} \(5, 2\)",
        ),
        ({"validation": (X[:0], Y[:0])}, ValueError, "fit: validation: expected at least one sample"),
    ],
)
def test_a_training_that_cannot_begin_changes_nothing(training, unchanged, changes, error, words):
    model, loss, optimizer, generator = training
    options = {"x": X, "y": Y, "epochs": 1, "batch_size": 4, "rng": generator, **changes}
    with unchanged(*training), pytest.raises(error, match=words):
        minidl.fit(model, loss, optimizer, **options)


@pytest.mark.parametrize(
    ("x", "y", "error", "words"),
    [
        (X[:, :2], Y, ValueError, r"Linear\(3 -> 5\): expected x of shape \(\.\.\., 3\), got \(., 2\)"),
        (X.astype(int), Y, TypeError, r"(fit|evaluate): expected x .* got int64"),
        (X * 1j, Y, TypeError, r"(fit|evaluate): expected x .* got complex64"),
        (X.astype(float), Y, TypeError, r"Linear\(3 -> 5\): expected x .* float32 .* got float64"),
        (X, Y[:, :1], ValueError, r"MSELoss\(mean\): expected targets? of shape \(., 2\), got \(., 1\)"),
        (X, Y[:, 0], ValueError, r"MSELoss\(mean\): expected .* of shape \(., 2\), got \(.,\)"),
        (
            X,
            Y.astype(float),
            TypeError,
            r"MSELoss\(mean\): expected targets .* float32, got float64 \(., 2\); try y\.astype",
        ),
    ],
)
def test_data_that_does_not_suit_model_or_loss_trains_nothing(network, unchanged, x, y, error, words):
    model = network().eval()
    optimizer, loss = minidl.Adam(model), minidl.MSELoss("mean")
    generator = np.random.default_rng(0)
    with unchanged(model, optimizer, loss, generator), pytest.raises(error, match=words):
        minidl.fit(model, loss, optimizer, x, y, epochs=1, batch_size=6, rng=generator)
    assert optimizer.t == 0
    assert not model.training
    assert not model.grads.any()
    with unchanged(model, loss), pytest.raises(error, match=words):
        minidl.evaluate(model, loss, x, y)


def test_a_target_without_its_axis_is_named_with_all_samples(network, unchanged):
    model = network()
    optimizer, loss = minidl.Adam(model), minidl.MSELoss("mean")
    words = r"MSELoss\(mean\): expected targets of shape \(6, 2\), got \(6,\); try y\[:, None\]"
    with unchanged(model, optimizer, loss), pytest.raises(ValueError, match=words):
        minidl.fit(model, loss, optimizer, X, Y[:, 0], epochs=1, batch_size=6)


def test_bad_validation_data_is_found_before_the_training(training, unchanged):
    model, loss, optimizer, generator = training
    options = {"epochs": 1, "batch_size": 4, "rng": generator}
    for validation in ((X[:, :2], Y), (X, Y[:, :1]), (X, Y, Y), X):
        with unchanged(*training), pytest.raises(ValueError, match="expected"):
            minidl.fit(model, loss, optimizer, X, Y, validation=validation, **options)


def test_what_an_interrupted_step_left_behind_is_not_trained_on(network):
    trained = []
    for left_behind in (0, 1):
        model = network()
        model.grads[...] = left_behind
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, Y, epochs=1, batch_size=3, rng=0)
        trained.append(model.values)
    np.testing.assert_array_equal(*trained)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": X.tolist()}, "fit: expected x to be a NumPy array or a torch tensor, got list"),
        ({"y": Y.tolist()}, "fit: expected y to be a NumPy array or a torch tensor, got list"),
        ({"loss": minidl.MSELoss}, "fit: expected loss to be a Loss, got <class"),
        ({"callbacks": print}, "fit: expected callbacks to be a list of callables"),
    ],
)
def test_things_of_another_kind_are_refused(training, unchanged, changes, words):
    model, loss, optimizer, generator = training
    options = {"loss": loss, "x": X, "y": Y, "epochs": 1, "batch_size": 4, "rng": generator, **changes}
    with unchanged(*training), pytest.raises(TypeError, match=words):
        minidl.fit(model, optimizer=optimizer, **options)


def test_the_optimizer_of_another_model_is_refused(network, unchanged):
    model, other = network(), minidl.Linear(3, 2)
    optimizer = minidl.SGD(other, 0.1)
    words = r"fit: expected an optimizer of this model, Sequential\(6 layers\).*, got one of another, Linear\(3 -> 2\)"
    with unchanged(model, other), pytest.raises(ValueError, match=words.replace(", S", ", S")):
        minidl.fit(model, minidl.MSELoss(), optimizer, X, Y, epochs=1, batch_size=1)


@pytest.mark.parametrize(("batch_size", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_a_batch_below_one_sample_is_refused(network, unchanged, batch_size, error):
    model = network()
    for run in (
        lambda: minidl.predict(model, X, batch_size=batch_size),
        lambda: minidl.evaluate(model, minidl.MSELoss(), X, Y, batch_size=batch_size),
    ):
        with unchanged(model), pytest.raises(error, match=rf"expected batch_size to be .*, got {batch_size}"):
            run()


def test_evaluate_needs_samples_and_as_many_targets(network):
    for x, y, words in ((X[:0], Y[:0], "at least one sample"), (X, Y[:5], "as many targets as samples")):
        with pytest.raises(ValueError, match=f"evaluate: expected {words}"):
            minidl.evaluate(network(), minidl.MSELoss(), x, y)


@pytest.mark.parametrize("seeds", [[1, 2], (1, 2, 3, 4), range(1)], ids=str)
def test_orders_are_one_for_all_or_one_per_replicate(network, seeds):
    model = minidl.replicate(network, range(3))
    with pytest.raises(ValueError, match=rf"fit: expected one rng, or one per replicate \(3,\), got {len(seeds)}"):
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, Y, epochs=1, batch_size=4, rng=seeds)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.stack([X] * 2), Y, r"fit: expected x to be .*replicates \(3,\), got \(2, 6, 3\)"),
        (X, np.stack([Y] * 4), r"fit: expected y to be .*replicates \(3,\), got \(4, 6, 2\)"),
        (np.stack([X] * 3), Y[:5], r"fit: expected as many targets as samples, got x \(3, 6, 3\) and y \(5, 2\)"),
    ],
)
def test_data_of_another_number_of_replicates_is_refused(network, unchanged, x, y, words):
    model, generator = minidl.replicate(network, range(3)), np.random.default_rng(0)
    optimizer = minidl.SGD(model, 0.1)
    with unchanged(model, generator), pytest.raises(ValueError, match=words):
        minidl.fit(model, minidl.MSELoss(), optimizer, x, y, epochs=1, batch_size=4, rng=generator)


@pytest.mark.parametrize("where", ["y", "validation"])
@pytest.mark.parametrize(
    ("loss", "good", "bad", "words"),
    [
        (minidl.CrossEntropyLoss(), np.zeros(6, int), 5, "CrossEntropyLoss.*class indices from 0 to 1, got 5"),
        (minidl.BCELoss(), Y, 2.0, r"BCELoss.*expected a target in \[0, 1\], got .* to 2.0"),
    ],
    ids=["class", "probability"],
)
def test_a_bad_target_is_found_before_the_first_step(network, unchanged, where, loss, good, bad, words):
    target = good.copy()
    target[-1] = bad
    model = network()
    optimizer, generator = minidl.Adam(model), np.random.default_rng(0)
    data = {"y": target} if where == "y" else {"y": good, "validation": (X, target)}
    with unchanged(model, optimizer, generator), pytest.raises(ValueError, match=words):
        minidl.fit(model, loss, optimizer, X, **data, epochs=1, batch_size=2, rng=generator)
