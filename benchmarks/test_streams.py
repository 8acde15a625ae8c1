"""One epoch of the report's network over many points: arrays, slices of them, and points that are made on the way."""

import numpy as np
import pytest

import minidl
import minidl_data

POINTS, BATCH = 200_000, 50
STREAM = minidl_data.DiskStream(0)


def arrays():
    x, y = STREAM[:POINTS]
    return {"x": x, "y": y, "batch_size": BATCH}


def slices():
    x, y = STREAM[:POINTS]
    return {"batches": lambda: ((x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, POINTS, BATCH))}


def made_on_the_way():
    return {"batches": lambda: STREAM.batches(0, POINTS, BATCH)}


def network():
    rng, layers = np.random.default_rng(0), []
    for below, above in ((2, 25), (25, 25), (25, 25), (25, 2)):
        layers += [minidl.Linear(below, above, rng=rng), minidl.ReLU()]
    return minidl.Sequential(layers[:-1])


@pytest.mark.parametrize("samples", [arrays, slices, made_on_the_way])
def test_an_epoch(benchmark, samples):
    options = samples()

    def epoch():
        model = network()
        minidl.fit(model, minidl.CrossEntropyLoss("mean"), minidl.SGD(model, 0.01), epochs=1, threads=1, **options)

    benchmark.pedantic(epoch, rounds=5)
