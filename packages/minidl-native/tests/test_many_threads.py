"""Trainings and predictions of several threads of Python at once come out as alone, with the GIL and without."""

import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minidl
import minidl_native

SEEDS = range(8)
X = np.random.default_rng(0).standard_normal((200, 8)).astype(np.float32)


def train(seed):
    inner, last = (minidl.Linear(*widths, rng=seed) for widths in ((8, 30), (30, 1)))
    model = minidl.Sequential([inner, minidl.Tanh(), minidl.Dropout(0.2, rng=seed), last])
    options = {"epochs": 3, "batch_size": 20, "rng": seed, "engine": "native"}
    minidl.fit(model, minidl.MSELoss("mean"), minidl.Adam(model, 0.01), X, X[:, :1], **options)
    return model


def test_trainings_at_once_are_those_alone():
    alone = [train(seed) for seed in SEEDS]
    with ThreadPoolExecutor(len(SEEDS)) as pool:
        for ours, theirs in zip(pool.map(train, SEEDS), alone, strict=True):
            np.testing.assert_array_equal(ours.values, theirs.values)


def test_predictions_of_one_network_at_once_are_those_alone():
    model = train(0)
    network = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
    expected = network.predict(model.values, X)
    with ThreadPoolExecutor(len(SEEDS)) as pool:
        for y in pool.map(lambda _: network.predict(model.values, X), range(200)):
            np.testing.assert_array_equal(y, expected)


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_the_engine_does_not_ask_for_the_gil():
    assert minidl_native.KINDS.layers
    assert not sys._is_gil_enabled()
