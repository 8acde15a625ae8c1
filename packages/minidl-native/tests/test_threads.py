"""Several threads share the steps of one network: the bits are those of one thread, and no thread is left behind."""

import threading
from pathlib import Path

import numpy as np
import pytest

import minidl

ROWS = 150
RNG = np.random.default_rng(0)
X = RNG.standard_normal((2 * ROWS + 3, 70))  # a last batch of three: fewer rows than threads
CLASSES, NUMBERS = RNG.integers(0, 5, len(X)), RNG.standard_normal((len(X), 5))
TASKS = Path("/proc/self/task")


def linear(n, m, rng, dtype, *, bias=True):
    return minidl.Linear(n, m, rng=rng, dtype=dtype, bias=bias)


def wide(*between):
    """Two layers that are wide enough to be shared, with others behind each."""

    def build(rng, dtype):
        layers = []
        for n in (70, 120):
            layers += [linear(n, 120, rng, dtype), *(make(rng, dtype) for make in between)]
        return minidl.Sequential([*layers, linear(120, 5, rng, dtype)])

    return build


def residual(rng, dtype):
    return minidl.Residual(minidl.Sequential([linear(120, 120, rng, dtype), minidl.Tanh()]))


def few_columns(rng, dtype):
    layers = [linear(70, 9, rng, dtype), minidl.ReLU(), linear(9, 900, rng, dtype, bias=False), minidl.ReLU()]
    return minidl.Sequential([*layers, linear(900, 3, rng, dtype), minidl.ReLU(), linear(3, 5, rng, dtype)])


NETWORKS = {
    "activations": wide(lambda *_: minidl.ReLU()),
    "two": wide(lambda *_: minidl.Sigmoid(), lambda *_: minidl.GELU()),
    "dropout": wide(lambda *_: minidl.LeakyReLU(0.1), lambda rng, _: minidl.Dropout(0.3, rng=rng)),
    "LayerNorm": wide(lambda _, dtype: minidl.LayerNorm(120, dtype=dtype), lambda *_: minidl.Tanh()),
    "BatchNorm1d": wide(lambda _, dtype: minidl.BatchNorm1d(120, dtype=dtype), lambda *_: minidl.ELU()),
    "Residual": wide(residual, lambda *_: minidl.SiLU()),
    "few columns": few_columns,
}
OPTIMIZERS = {
    "SGD": lambda model: minidl.SGD(model, 0.01, momentum=0.9, nesterov=True),
    "RMSprop": lambda model: minidl.RMSprop(model, 0.001, momentum=0.5),
    "Adam": lambda model: minidl.Adam(model, 0.001, weight_decay=0.01, decay_biases=False),
    "AdamW": lambda model: minidl.AdamW(model, 0.001, clip=0.5),
}
LOSSES = {"classes": (minidl.CrossEntropyLoss("mean"), CLASSES), "numbers": (minidl.HuberLoss("sum"), NUMBERS)}


@pytest.fixture
def end_of(trained):
    """Train with so many threads, and return all arrays that the training changed."""

    def end_of(network, optimizer, loss, dtype, threads, isa="", **options):
        model = NETWORKS[network](np.random.default_rng(1), dtype)
        loss, y = LOSSES[loss]
        y = y if y is CLASSES else y.astype(dtype)
        made = OPTIMIZERS[optimizer](model)
        options |= {"epochs": 2, "batch_size": ROWS, "rng": np.random.default_rng(2), "threads": threads, "isa": isa}
        results = trained.train(model, loss, made, X.astype(dtype), y, **options)
        statistics = [array for module in model.modules() for array in module.statistics.values()]
        vectors = [vector for vector in made.state().vectors.values() if vector is not None]
        return [model.values, *vectors, *statistics, *(np.asarray(result.loss) for result in results)]

    return end_of


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isfinite(one).all()


@pytest.mark.parametrize("network", NETWORKS)
def test_any_number_of_threads_gives_the_same_bits(end_of, network, dtype, isa):
    one = end_of(network, "Adam", "classes", dtype, 1, isa)
    for threads in (2, 3, 4, 7):
        assert_equal(end_of(network, "Adam", "classes", dtype, threads, isa), one)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_whatever_the_optimizer_and_the_loss(end_of, optimizer, loss):
    options = {"weight": RNG.uniform(0, 2, len(X)), "l2": 0.1}
    one = end_of("dropout", optimizer, loss, "float32", 1, **options)
    for threads in (2, 4):
        assert_equal(end_of("dropout", optimizer, loss, "float32", threads, **options), one)


def test_a_frozen_layer(trained):
    found = []
    for threads in (1, 2, 3):
        model = NETWORKS["activations"](np.random.default_rng(1), "float64")
        model[2].freeze()
        before = model[2].weight.copy()
        trained.train(
            *(model, minidl.CrossEntropyLoss("mean"), minidl.SGD(model, 0.1), X, CLASSES),
            epochs=1, batch_size=ROWS, rng=np.random.default_rng(0), threads=threads,
        )  # fmt: skip
        np.testing.assert_array_equal(model[2].weight, before)
        found.append([model.values])
    assert_equal(found[1], found[0])
    assert_equal(found[2], found[0])


@pytest.fixture
def new_threads():
    """Return a growing list of how many threads there are beside those of the beginning."""
    counts, begun, done = [], threading.Event(), threading.Event()

    def watch():
        begun.wait()
        while not done.is_set():
            counts.append(len({task.name for task in TASKS.iterdir()} - known))

    watcher = threading.Thread(target=watch)
    watcher.start()
    known = {task.name for task in TASKS.iterdir()}  # also the watcher, and those that are just ending
    begun.set()
    yield counts
    done.set()
    watcher.join()


@pytest.mark.skipif(not TASKS.exists(), reason="counts the threads of this process in /proc")
def test_threads_live_as_long_as_the_training(end_of, new_threads):
    while max(new_threads, default=0) < 2:  # a busy machine may be slow to look
        end_of("activations", "SGD", "classes", "float64", 3)
    while new_threads[-1] > 0:  # a thread that has ended stays in the list for a moment
        pass
    assert max(new_threads) == 2


@pytest.mark.skipif(not TASKS.exists(), reason="counts the threads of this process in /proc")
def test_a_small_network_takes_one_thread(new_threads):
    model, x = minidl.Linear(70, 5, rng=0), X.astype(np.float32)
    while len(new_threads) < 100:
        minidl.fit(
            *(model, minidl.CrossEntropyLoss("mean"), minidl.SGD(model, 0.1), x, CLASSES),
            epochs=500, batch_size=50, rng=0, engine="native", threads=4,
        )  # fmt: skip
    assert not any(new_threads)


def test_an_error_in_the_middle_leaves_the_network_whole():
    model = NETWORKS["activations"](np.random.default_rng(1), "float64")
    y = NUMBERS.copy()
    y[X[:, 0].argmax()] = np.nan
    optimizer = minidl.SGD(model, 0.01)
    with pytest.raises(minidl.DivergenceError):
        minidl.fit(
            *(model, minidl.MSELoss("mean"), optimizer, X, y),
            epochs=1, batch_size=ROWS, rng=0, engine="native", threads=3,
        )  # fmt: skip
    assert np.isfinite(model.values).all()
