"""Reported faults: engines that differ; docs/faults.md lists kind, cause and test."""

import warnings

import numpy as np
import pytest

import minidl

X = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
LABELS = np.arange(12) % 2
ENGINES = ["numpy", "auto"]


def net(rng=0, out=2, dtype="float32", **options):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(3, 4, rng=rng, dtype=dtype, **options), minidl.Tanh()]
    return minidl.Sequential([*layers, minidl.Linear(4, out, rng=rng, dtype=dtype, **options)])


class TestEnginesThatDiffer:
    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("make", [minidl.Adam, lambda m: minidl.SGD(m, 1e-3, momentum=0.9)])
    def test_a_network_goes_on_after_it_diverged_and_was_mended(self, make, engine):
        """Before: what the optimizer remembered of huge gradients threw it far off at the next step."""
        model = minidl.Linear(3, 1, rng=0)
        optimizer, loss, y = make(model), minidl.MSELoss(), X[:, :1] * 2
        good = model.values.copy()
        bad = X.copy()
        bad[5] *= 1e19
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                minidl.fit(model, loss, optimizer, bad, y, epochs=2, batch_size=4, rng=0, engine=engine)
            except minidl.DivergenceError:
                model.values[...] = good
        before = model.values.copy()
        minidl.train_step(model, loss, optimizer, X, y, engine=engine)
        assert np.abs(model.values - before).max() < 1

    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_memory_that_overflowed_beside_finite_parameters_is_warned_of(self, engine):
        model = minidl.Linear(3, 1, rng=0)
        adam, bad = minidl.Adam(model, 1e-9), X.copy()
        bad[5] *= 1e21
        with (
            np.errstate(all="ignore"),
            pytest.warns(
                RuntimeWarning, match="Adam: its v has overflowed, since gradients were too large for float32"
            ),
        ):
            minidl.fit(model, minidl.L1Loss(), adam, bad, X[:, :1] * 1e3, epochs=1, batch_size=12, engine=engine)
        assert np.isfinite(adam.v).all()

    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("many", [False, True])
    def test_a_memory_that_overflowed_before_the_loss_became_nan_is_forgotten(self, engine, many):
        """Before: the second moment stayed infinite, and that network learnt nothing ever after."""

        def build(rng):
            return net(rng, std_b=0.1)

        model = minidl.replicate(build, range(2)) if many else build(0)
        for optimizer in (minidl.Adam(model, 0.1), minidl.SGD(model, 0.1, momentum=0.9)):
            x = np.stack([X, X]) if many else X.copy()
            x[..., -1, :] = x[..., -1, :] if many else 1e30
            if many:
                x[1, -1] = 1e30
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore", RuntimeWarning)
                try:
                    minidl.fit(
                        model, minidl.MSELoss(), optimizer, x, x[..., :2] * 0, epochs=4, batch_size=12, engine=engine
                    )
                except minidl.DivergenceError:
                    assert not many
            assert all(np.isfinite(v).all() for v in optimizer.state().vectors.values())

    @pytest.mark.parametrize("engine", ENGINES)
    def test_layers_own_rates_with_adam(self, engine):
        model = net(lr=0.01)
        data, options = (X[:, None], X[:, None, :2]), {"epochs": 1, "batch_size": 5, "engine": engine}
        history = minidl.fit(model, minidl.MSELoss(), minidl.Adam(model, None), *data, **options)
        assert len(history) == 1

    def test_a_replicate_that_diverged_is_left_in_the_same_state_by_both_engines(self):
        """Its parameters, the optimizer's memory and its generators are those from before the batch; it can go on."""

        def build(rng):
            layers = [minidl.Linear(3, 4, rng=rng, dtype="float64"), minidl.Dropout(0.5, rng=rng)]
            return minidl.Sequential([*layers, minidl.Linear(4, 2, rng=rng, dtype="float64")])

        x = np.stack([X.astype(float)] * 2)
        x[1, 7] = np.nan
        found = []
        for engine in ENGINES:
            model = minidl.replicate(build, range(2))
            adam, loss, order = minidl.Adam(model), minidl.MSELoss(), np.random.default_rng(0)
            with warnings.catch_warnings(), np.errstate(invalid="ignore"):
                warnings.simplefilter("ignore", RuntimeWarning)
                minidl.fit(model, loss, adam, x, x[..., :2] * 0 + 1, epochs=3, batch_size=5, rng=order, engine=engine)
            states = [generator.bit_generator.state for generator in model[1].generators]
            assert np.isfinite(model.values).all()
            assert np.isfinite(adam.m).all()
            fine = minidl.fit(model, loss, adam, X.astype(float), X[:, :2].astype(float), epochs=1, batch_size=5, rng=1)
            assert not fine.diverged
            found.append((states, model.values, adam.m))
        assert found[0][0] == found[1][0]
        for ours, theirs in zip(found[0][1:], found[1][1:], strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_replicates_that_diverge_one_after_the_other_stay_as_they_were(self, engine):
        model = minidl.replicate(lambda rng: net(rng, dtype="float64"), range(4))
        x = np.stack([X.astype(float)] * 4)
        x[1, 2] = x[2, 6] = x[3, 10] = np.nan
        optimizer, before = minidl.SGD(model, 0.01, momentum=0.9), model.values.copy()
        options = {"epochs": 3, "batch_size": 3, "rng": [0, 1, 2, 3], "engine": engine}
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            history = minidl.fit(model, minidl.MSELoss(), optimizer, x, x[..., :2] * 0, **options)
        assert sorted(history.diverged) == [1, 2, 3]
        assert np.isfinite(model.values).all()
        assert np.isfinite(optimizer.velocity).all()
        assert (model.values[0] != before[0]).all()

    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_a_callback_that_writes_to_the_samples_is_seen(self, engine, order):
        model = minidl.replicate(lambda rng: net(rng, dtype="float64"), range(2))
        x = np.array(np.stack([X.astype(float)] * 2), order=order)
        before = []

        def clear(*_):
            before.append(model.values.copy())
            x[...] = 0

        y = np.zeros((2, 12, 2))
        options = {"epochs": 2, "batch_size": 12, "rng": [0, 1], "callbacks": [clear], "engine": engine}
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.01), x, y, **options)
        np.testing.assert_array_equal(model.values[:, :12], before[0][:, :12])  # no weight learns from zeros
