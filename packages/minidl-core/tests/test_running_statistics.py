"""The running statistics of BatchNorm1d: how they move, and what copies, keeps or restores them."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

import minidl
from minidl import BatchNorm1d

NAMES = ["running_mean", "running_var", "num_batches_tracked"]
without_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is optional")
libraries = pytest.mark.parametrize("library", ["numpy", pytest.param("torch", marks=without_torch)])


def arrays(library, *given):
    torch = pytest.importorskip("torch") if library == "torch" else None
    return [torch.from_numpy(array) if torch else array for array in given]


def network(rng, backend=None):
    rng, options = np.random.default_rng(rng), {"dtype": "float64", "backend": backend}
    first, second = minidl.Linear(3, 4, rng=rng, **options), minidl.Linear(4, 2, rng=rng, **options)
    return minidl.Sequential([first, BatchNorm1d(4, **options), minidl.ReLU(), second])


def samples(rng, n=12, shape=()):
    return rng.standard_normal((*shape, n, 3)), rng.standard_normal((*shape, n, 2))


class TestRunningStatistics:
    @libraries
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_move_towards_those_of_each_batch(self, library, dtype, rng):
        norm, mean, variance = BatchNorm1d(3, momentum=0.3, dtype=dtype, backend=library), np.zeros(3), np.ones(3)
        for _ in range(4):
            (x,) = arrays(library, (2 + rng.standard_normal((7, 3))).astype(dtype))
            norm(x)
            x = np.asarray(x, float)
            mean, variance = 0.7 * mean + 0.3 * x.mean(0), 0.7 * variance + 0.3 * x.var(0, ddof=1)
        close = {"rtol": 20 * np.finfo(dtype).eps}
        np.testing.assert_allclose(np.asarray(norm.statistics["running_mean"]), mean, **close)
        np.testing.assert_allclose(np.asarray(norm.statistics["running_var"]), variance, **close)
        assert int(norm.statistics["num_batches_tracked"]) == 4
        assert norm.statistics["running_mean"].dtype == norm.dtype

    def test_are_used_and_left_alone_in_evaluation(self, rng, unchanged):
        norm = BatchNorm1d(3, dtype="float64")
        norm(rng.standard_normal((9, 3)))
        mean, variance = norm.statistics["running_mean"], norm.statistics["running_var"]
        x = rng.standard_normal((1, 3))
        expected = (x - mean) / np.sqrt(variance + 1e-5)
        with unchanged(norm):
            np.testing.assert_allclose(norm.infer(x), expected, rtol=1e-14)
        np.testing.assert_allclose(norm.eval()(x), expected, rtol=1e-14)
        np.testing.assert_allclose(norm.infer(x[0]), expected[0], rtol=1e-14)
        assert norm.statistics["num_batches_tracked"] == 1

    def test_that_were_handed_out_are_never_written_to(self, rng):
        norm = BatchNorm1d(3, dtype="float64")
        handed_out, state = dict(norm.statistics), norm.state_dict()
        norm(rng.standard_normal((9, 3)))
        for given_out in (handed_out, state):
            assert not given_out["running_mean"].any()
            assert given_out["num_batches_tracked"] == 0

    @pytest.mark.parametrize("copies", [copy.deepcopy, lambda norm: pickle.loads(pickle.dumps(norm))])
    def test_are_copied(self, copies, rng):
        model = network(0)
        model(samples(rng)[0])
        twin = copies(model)
        for name in NAMES:
            np.testing.assert_array_equal(twin[1].statistics[name], model[1].statistics[name])
        twin(samples(rng)[0])
        assert [int(m[1].statistics["num_batches_tracked"]) for m in (model, twin)] == [1, 2]

    def test_momentum_per_replicate(self, rng):
        shares = iter([0.0, 0.5, 1.0])
        norm = minidl.replicate(lambda _: BatchNorm1d(2, momentum=next(shares), dtype="float64"), range(3))
        x = rng.standard_normal((6, 2))
        norm(x)
        expected = np.array([0, 0.5, 1])[:, None] * x.mean(0)
        np.testing.assert_allclose(norm.statistics["running_mean"], expected, rtol=1e-14)

    def test_need_two_samples(self, unchanged):
        norm = BatchNorm1d(3)
        for shape in ((1, 3), (3,), (0, 3), (1, 1, 3)):
            with (
                unchanged(norm),
                pytest.raises(ValueError, match=r"BatchNorm1d\(3 -> 3.*: expected at least two samples"),
            ):
                norm(np.ones(shape, np.float32))
        assert norm.eval()(np.ones((1, 3), np.float32)).shape == (1, 3)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"batch_size": 1}, "got 7 samples in batches of 1, the last of 1"),
            ({"batch_size": 3}, "got 7 samples in batches of 3, the last of 1"),
            ({"batch_size": 2, "rows": [0, 1, 2, 2, 5]}, "got 5 samples in batches of 2, the last of 1"),
            ({"batch_size": 4, "validation_split": 0.3}, "got 5 samples in batches of 4, the last of 1"),
        ],
    )
    def test_need_two_samples_in_the_last_batch_too(self, rng, unchanged, options, words):
        model = network(0)
        x, y = samples(rng)[0][:7], np.zeros((7, model.out_features))
        order, state = np.random.default_rng(1), np.random.default_rng(1).bit_generator.state
        with unchanged(model), pytest.raises(ValueError, match=f"fit: expected batches of at least 2 samples.*{words}"):
            minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), x, y, epochs=2, rng=order, **options)
        assert order.bit_generator.state == state

    def test_count_the_rows_of_a_sequence(self):
        model = BatchNorm1d(2)
        x = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), x, x, epochs=1, batch_size=2)
        assert model.statistics["num_batches_tracked"] == 2

    def test_are_read_from_many_threads(self, rng):
        model = network(0)
        model(samples(rng)[0])
        inputs = [samples(rng)[0] for _ in range(20)]
        expected = [model.infer(x) for x in inputs]
        with ThreadPoolExecutor(4) as pool:
            for y, e in zip(pool.map(lambda x: minidl.predict(model, x), inputs), expected, strict=True):
                np.testing.assert_allclose(y, e, rtol=1e-13)


class TestStateDict:
    def test_has_the_names_and_the_order_of_torch(self):
        assert list(network(0).state_dict()) == [
            *("0.weight", "0.bias", "1.weight", "1.bias"),
            *(f"1.{name}" for name in NAMES),
            *("3.weight", "3.bias"),
        ]

    @libraries
    @pytest.mark.parametrize("replicates", [0, 3])
    def test_round_trip(self, library, replicates, rng):
        build = lambda seed: BatchNorm1d(3, backend=library)  # noqa: ARG005, E731 - as short as its formula
        model, twin = (minidl.replicate(build, range(replicates)) if replicates else build(0) for _ in range(2))
        shape = (replicates, 6, 3) if replicates else (6, 3)
        model(*arrays(library, rng.standard_normal(shape).astype(np.float32)))
        twin.load_state_dict(model.state_dict())
        for name in NAMES:
            np.testing.assert_array_equal(np.asarray(twin.statistics[name]), np.asarray(model.statistics[name]))
            assert twin.statistics[name].dtype == model.statistics[name].dtype
            assert type(twin.statistics[name]) is type(model.statistics[name])

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("1.num_batches_tracked", np.array(1.5), TypeError),
            ("1.running_mean", np.zeros(4, int), TypeError),
            ("1.running_var", np.zeros(3), ValueError),
            ("1.num_batches_tracked", None, ValueError),
        ],
    )
    def test_what_does_not_fit_changes_nothing(self, name, value, error, unchanged):
        model = network(0)
        state = {own: array + 1 for own, array in model.state_dict().items()} | {name: value}
        if value is None:
            del state[name]
        with unchanged(model), pytest.raises(error, match=name):
            model.load_state_dict(state)


class TestTraining:
    def fit(self, model, x, y, **options):
        loss, sgd = minidl.MSELoss("mean"), minidl.SGD(model, 0.05, momentum=0.5)
        return minidl.fit(model, loss, sgd, x, y, **{"epochs": 3, "batch_size": 4, "rng": 0} | options)

    def test_replicates_are_the_networks_of_their_seeds(self, rng):
        x, y = samples(rng)
        together = minidl.replicate(network, range(3))
        self.fit(together, x, y)
        for r in range(3):
            single = network(r)
            self.fit(single, x, y)
            for name, array in together.state_dict().items():
                np.testing.assert_allclose(array[r], single.state_dict()[name], rtol=1e-9, atol=1e-12)

    def test_no_optimizer_touches_statistics(self, rng):
        x, _ = samples(rng)
        model = network(0)
        optimizer = minidl.Adam(model, 0.1, weight_decay=0.5)
        model.backward(np.ones_like(model(x)))
        before = {name: array.copy() for name, array in model[1].statistics.items()}
        optimizer.step()
        for name in NAMES:
            np.testing.assert_array_equal(model[1].statistics[name], before[name])

    @libraries
    def test_a_frozen_replicate_keeps_those_from_before_its_bad_batch(self, library, rng):
        x, y = samples(rng, 12, (3,))
        order = np.random.default_rng(0).permutation(12)
        x[1, order[8]] = np.nan  # in the third batch
        model = minidl.replicate(lambda rng: network(rng, backend=library), range(3))
        before = {name: array[1] for name, array in model.state_dict().items()}
        with pytest.warns(RuntimeWarning, match="replicate 1 has diverged, the loss is nan in epoch 1, batch 3"):
            self.fit(model, *arrays(library, x, y))
        statistics = {name: np.asarray(array) for name, array in model[1].statistics.items()}
        assert statistics["num_batches_tracked"].tolist() == [9, 2, 9]
        assert all(np.isfinite(array).all() for array in statistics.values())
        assert (np.asarray(before["1.running_mean"]) != statistics["running_mean"][1]).all()

    @libraries
    def test_a_network_that_diverges_keeps_those_from_before_its_bad_batch(self, library, rng):
        x, y = samples(rng)
        x[np.random.default_rng(0).permutation(12)[8]] = np.nan
        model = network(0, backend=library)
        with pytest.raises(minidl.DivergenceError):
            self.fit(model, *arrays(library, x, y))
        assert int(model[1].statistics["num_batches_tracked"]) == 2
        assert np.isfinite(np.asarray(model[1].statistics["running_var"])).all()

    @pytest.mark.parametrize("replicates", [0, 3])
    @libraries
    def test_a_step_that_fails_restores_them(self, replicates, library, rng):
        build = lambda seed: minidl.Sequential([BatchNorm1d(3, dtype="float64", backend=library)])  # noqa: ARG005, E731 - nothing is drawn
        model = minidl.replicate(build, range(replicates)) if replicates else build(0)
        x, y = arrays(library, rng.standard_normal((4, 3)), rng.standard_normal((4, 2)))
        sgd = minidl.SGD(model, 0.1)
        with pytest.raises(ValueError, match="target"):
            minidl.train_step(model, minidl.MSELoss(), sgd, x, y)
        assert not np.asarray(model[0].statistics["running_mean"]).any()
        assert not np.asarray(model[0].statistics["num_batches_tracked"]).any()

    @pytest.mark.parametrize("replicates", [0, 2])
    @libraries
    def test_a_step_whose_loss_is_nan_restores_them(self, replicates, library, rng):
        build = lambda seed: BatchNorm1d(3, dtype="float64", backend=library)  # noqa: ARG005, E731 - nothing is drawn
        model = minidl.replicate(build, range(replicates)) if replicates else build(0)
        x = rng.standard_normal((2, 4, 3) if replicates else (4, 3))
        x[..., 0, 0] = np.nan
        if replicates:
            x[0, 0, 0] = 1.0
        x, y = arrays(library, x, np.zeros_like(x))
        minidl.train_step(model, minidl.MSELoss(), minidl.SGD(model, 0.1), x, y)
        counts = np.asarray(model.statistics["num_batches_tracked"]).tolist()
        assert counts == ([1, 0] if replicates else 0)
        assert np.isfinite(np.asarray(model.statistics["running_mean"])).all()
