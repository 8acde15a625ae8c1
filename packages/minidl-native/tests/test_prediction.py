"""Predictions are those of minidl on NumPy, in bounded memory and from many threads."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minidl


def network(rng=0, dtype="float64", width=11):
    rng = np.random.default_rng(rng)
    return minidl.Sequential(
        [
            minidl.Dropout(0.5, rng=1),
            minidl.Linear(3, width, std_b=0.1, dtype=dtype, rng=rng),
            minidl.ReLU(),
            minidl.Linear(width, 7, bias=False, dtype=dtype, rng=rng),
            minidl.LeakyReLU(-0.3),
            minidl.LayerNorm(7, eps=0.1, dtype=dtype),
            minidl.GELU(),
            minidl.Dropout(0.5, rng=0),
            minidl.Tanh(),
            minidl.Linear(7, 2, std_b=0.1, dtype=dtype, rng=rng),
            minidl.Sigmoid(),
        ]
    )


def close(dtype):
    return {"rtol": 1e-13} if dtype == "float64" else {"rtol": 2e-6, "atol": 1e-6}


@pytest.mark.parametrize("width", [1, 8, 33, 300])
@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 127, 128, 129, 1025, 1100, 1152, 3000])
def test_any_number_of_rows(trained, isa, dtype, n, width):
    model = network(dtype=dtype, width=width)
    x = np.random.default_rng(1).standard_normal((n, 3)).astype(dtype)
    y = trained.network_of(model, isa).predict(model.values, x)
    assert (y.dtype, y.shape) == (x.dtype, (n, 2))
    np.testing.assert_allclose(y, model.infer(x), **close(dtype))


@pytest.mark.parametrize("n", [1, 30, 1100, 2500])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_replicates(trained, n, own, threads):
    model = minidl.replicate(network, range(5))
    x = np.random.default_rng(1).standard_normal((5, n, 3) if own else (n, 3))
    y = trained.network_of(model).predict(model.values, x, threads=threads)
    np.testing.assert_allclose(y, model.infer(x), rtol=1e-13)


def test_arrays_in_other_orders(trained):
    model = network()
    x = np.random.default_rng(1).standard_normal((3, 20)).T
    engine = trained.network_of(model)
    for other in (x, x[::-1], np.asfortranarray(x)):
        np.testing.assert_allclose(engine.predict(model.values, other), model.infer(other), rtol=1e-13)


def twins_of(x, path):
    """Yield the same numbers in files, unaligned, strided and read-only."""
    path.write_bytes(b"?" + x.tobytes() + x.tobytes(order="F"))
    unaligned = np.memmap(path, x.dtype, "r", offset=1, shape=x.shape)
    fortran = np.memmap(path, x.dtype, "c", offset=1 + x.nbytes, shape=x.shape, order="F")
    assert not unaligned.flags.aligned
    frozen = x.copy()
    frozen.flags.writeable = False
    yield from (unaligned, fortran, np.asarray(unaligned), np.repeat(x, 2, axis=-1)[..., ::2], x[::-1].copy()[::-1])
    yield from (frozen, np.load(_saved(x, path.with_suffix(".npy")), mmap_mode="r"))


def _saved(x, path):
    np.save(path, x)
    return path


@pytest.mark.parametrize("n", [1, 20])
def test_files_unaligned_and_read_only_arrays(trained, tmp_path, n):
    model, engine, x = network(), trained.network_of(network()), np.random.default_rng(1).standard_normal((n, 3))
    expected = engine.predict(model.values, x)
    for other in twins_of(x, tmp_path / "x"):
        np.testing.assert_array_equal(engine.predict(model.values, other), expected)


def test_a_training_on_files_unaligned_and_read_only_arrays(trained, tmp_path):
    x, y = np.random.default_rng(1).random((2, 20, 4))
    found = []
    pairs = zip(twins_of(x, tmp_path / "x"), twins_of(y, tmp_path / "y"), strict=True)
    for own_x, own_y in ((x, y), *pairs):
        layer = minidl.Linear(4, 4, dtype="float64", rng=0)
        options = {"epochs": 1, "batch_size": 6, "rng": np.random.default_rng(0)}
        trained.train(layer, minidl.MSELoss(), minidl.SGD(layer, 0.01), own_x, own_y, **options)
        found.append(layer.values)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_infinite_and_nan_inputs_stay_in_their_row(trained, isa):
    model = network()
    for n in (3, 20):
        x = np.ones((n, 3))
        x[1] = np.nan, 1, 2
        y = trained.network_of(model, isa).predict(model.values, x)
        np.testing.assert_array_equal(np.isnan(y).any(-1), np.arange(n) == 1)


def test_a_nan_among_the_parameters_stays_in_its_output(trained, isa, dtype):
    layer = minidl.Linear(25, 5, dtype=dtype, rng=0)
    layer.weight[2, 0] = np.nan
    for n in (1, 20):
        y = trained.network_of(layer, isa).predict(layer.values, np.ones((n, 25), dtype))
        np.testing.assert_array_equal(np.isnan(y), np.arange(5)[None] == np.full((n, 1), 2))


def test_from_many_threads_at_once(trained):
    model = network()
    engine, x = trained.network_of(model), np.random.default_rng(1).standard_normal((1500, 3))
    expected = engine.predict(model.values, x)
    with ThreadPoolExecutor(8) as pool:
        for y in pool.map(lambda _: engine.predict(model.values, x, threads=2), range(50)):
            np.testing.assert_array_equal(y, expected)


PEAK = """
import resource
import numpy as np
import minidl, minidl_native

model = minidl.Sequential([minidl.Linear(1, 200, rng=0), minidl.Tanh(), minidl.Linear(200, 1, rng=1)])
x = np.zeros((500_000, 1), np.float32)
network = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
network.predict(model.values, x[:1000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
y = network.predict(model.values, x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere ru_maxrss is in other units, or not there")
def test_memory_is_that_of_the_output():
    """The engine's own memory is none that Python could trace: the process says how much it had at most."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    output, hidden = 500_000 * 4 / 1024, 500_000 * 200 * 4 / 1024
    assert int(done.stdout) < 2 * output + hidden / 20


def test_what_is_no_array_is_named(trained):
    engine = trained.network_of(network())
    values = network().values
    for x, error in (
        (3.0, TypeError),
        ([[1.0]], TypeError),
        (np.float64(3), TypeError),
        (np.array(1.0), ValueError),
        (np.ones(3), ValueError),
    ):
        with pytest.raises(error, match=r"^minidl_native: expected an array"):
            engine.predict(values, x)
    for x in (np.ones((2, 4)), np.ones((1, 2, 3))):
        with pytest.raises(ValueError, match=r"^minidl_native: expected x of shape \(\d+, 3\), got float64"):
            engine.predict(values, x)
    with pytest.raises(TypeError, match=r"^minidl_native: expected x to be float64, got float32"):
        engine.predict(values, np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"^minidl_native: expected values of shape \(\d+,\)"):
        engine.predict(values[:-1], np.ones((2, 3)))
