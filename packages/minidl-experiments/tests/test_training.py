"""Seeds trained together equal seeds trained one by one, and every seed is reproducible."""

from dataclasses import replace

import numpy as np
import pytest

import minidl
import minidl_data
from minidl_experiments import Loss, Settings, Training, draw, streams
from minidl_experiments.experiments import DROPOUT, OPTIMIZERS
from minidl_experiments.settings import REPORT_SGD, Optimizer, Steps

SHORT = Settings(epochs=3, samples=120)


def trained(settings, seeds):
    training = Training(settings, seeds)
    training.run()
    return training


def test_the_data_of_a_seed_equal_the_sets_of_load_disk():
    data = draw([5, 6], 1000)
    (x_train, y_train), (x_test, y_test) = minidl_data.load_disk(streams(6).data)
    np.testing.assert_array_equal(data.train.x[1], x_train)
    np.testing.assert_array_equal(data.train.y[1].argmax(axis=-1), y_train)
    np.testing.assert_array_equal(data.test.x[1], x_test)
    np.testing.assert_array_equal(data.test.y[1].argmax(axis=-1), y_test)


def test_the_streams_of_a_seed_are_independent_of_each_other():
    words = [tuple(stream.generate_state(4)) for seed in (0, 1) for stream in streams(seed)]
    assert len(set(words)) == 6


@pytest.mark.parametrize("settings", [SHORT, replace(SHORT, p_drop=0.3, steps=REPORT_SGD)], ids=["adam", "dropout"])
def test_seeds_reproduce_exactly(settings):
    first, second = (trained(settings, [3, 4]) for _ in range(2))
    np.testing.assert_array_equal(first.model.values, second.model.values)
    np.testing.assert_array_equal(first.test.loss, second.test.loss)


@pytest.mark.parametrize(
    "settings",
    [SHORT, replace(SHORT, p_drop=0.3), replace(SHORT, steps=REPORT_SGD, loss=Loss.CROSS_ENTROPY)],
    ids=["adam", "dropout", "sgd"],
)
def test_a_replicate_equals_the_training_of_its_seed_alone(settings):
    together = trained(settings, [7, 8, 9])
    for index, seed in enumerate([7, 8, 9]):
        alone = trained(settings, [seed])
        # Sums in another order differ by a few float32 epsilons (1.2e-7) after nine steps.
        np.testing.assert_allclose(together.model.values[index], alone.model.values[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(together.test.loss[:, index], alone.test.loss[:, 0], rtol=1e-5)
        np.testing.assert_array_equal(together.test.accuracy[:, index], alone.test.accuracy[:, 0])


def test_a_replicate_equals_the_single_network_trained_by_fit():
    together = trained(SHORT, [0, 1])
    rng = np.random.default_rng(streams(1).weights)
    layers = []
    for n_in in (2, 25, 25):
        layers += [minidl.Linear(n_in, 25, rng=rng), minidl.ReLU()]
    network = minidl.Sequential([*layers, minidl.Linear(25, 2, rng=rng), minidl.Sigmoid()])
    x, y = minidl_data.make_disk(120, rng=streams(1).data)
    loss, optimizer = minidl.MSELoss(), minidl.Adam(network, 1e-3)
    minidl.fit(network, loss, optimizer, x, minidl_data.one_hot(y), epochs=3, batch_size=50, rng=streams(1).order)
    np.testing.assert_allclose(together.model.values[1], network.values, rtol=1e-4, atol=1e-6)


def test_curves_are_measured_at_the_end_of_each_epoch_on_whole_sets():
    epochs = []
    training = Training(SHORT, [0, 1])
    before = training.evaluate(training.data.train)
    training.run(epochs.append)
    assert epochs == [1, 2, 3]
    assert training.train.loss.shape == training.test.accuracy.shape == (3, 2)
    np.testing.assert_array_equal(training.train.loss[-1], training.evaluate(training.data.train).loss)
    np.testing.assert_array_equal(training.test.accuracy[-1], training.evaluate(training.data.test).accuracy)
    assert (training.train.loss[-1] < before.loss).all()


def test_fewer_measurements_do_not_change_the_training():
    often, seldom = Training(SHORT, [0]), Training(SHORT, [0])
    often.run()
    seldom.run(every=3)
    np.testing.assert_array_equal(often.model.values, seldom.model.values)
    np.testing.assert_array_equal(often.test.loss[[2]], seldom.test.loss)


def test_network_returns_the_network_of_one_seed():
    training = trained(SHORT, [0, 1])
    prediction = minidl.predict(training.network(1), training.data.test.x[1])
    # A single network multiplies matrices of other shapes, which changes the float32 rounding.
    np.testing.assert_allclose(prediction, minidl.predict(training.model, training.data.test.x)[1], atol=1e-6)


def test_an_interrupted_training_keeps_its_curves():
    training = Training(SHORT, [0])

    def interrupt(epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.run(interrupt)
    assert len(training.test.loss) == 2


def test_a_diverged_seed_has_nan_scores_from_its_epoch_on():
    """The frozen weights of a diverged seed may still give finite outputs, so the scores must be set to nan."""
    steep = replace(SHORT, steps=Steps(Optimizer.SGD, lr=0.006), sigmoid_outputs=False)
    training = trained(steep, range(12))  # warnings are errors here
    lost = np.isnan(training.train.loss[-1])
    assert 0 < lost.sum() < 12
    for curves in (training.train, training.test):
        np.testing.assert_array_equal(np.isnan(curves.accuracy), np.isnan(training.train.loss))
        np.testing.assert_array_equal(np.isnan(curves.loss), np.isnan(training.train.loss))
        assert np.isfinite(curves.accuracy[:, ~lost]).all()


@pytest.mark.slow
def test_a_hundred_seeds_have_the_reports_accuracy():
    training = Training(Settings(), range(100))
    training.run(every=50)
    assert 0.972 <= training.test.accuracy[-1].mean() <= 0.979


@pytest.mark.slow
def test_twenty_seeds_agree_with_the_report():
    runs = {name: trained(settings, range(20)) for name, settings in OPTIMIZERS.items()}
    adam, sgd = runs["Adam"], runs["SGD"]
    assert 0.97 <= adam.test.accuracy[-1].mean() <= 0.98
    assert sgd.train.accuracy[9].mean() > adam.train.accuracy[9].mean()
    assert sgd.train.loss[9].mean() < adam.train.loss[9].mean()
    assert adam.train.accuracy[49].mean() > sgd.train.accuracy[49].mean()
    assert adam.train.loss[49].mean() < sgd.train.loss[49].mean()


@pytest.mark.slow
def test_dropout_does_not_help():
    plain, dropout = (trained(DROPOUT[p], range(10)) for p in (0.0, 0.2))
    assert dropout.test.accuracy[-1].mean() < plain.test.accuracy[-1].mean()
