"""Reported faults: numbers and errors that mislead; docs/faults.md lists kind, cause and test."""

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


class TestNumbersThatMislead:
    def test_the_accuracy_of_nan_is_nan(self):
        model = net()
        model.values[...] = np.nan
        measured = minidl.evaluate(model, minidl.CrossEntropyLoss(), X, LABELS * 0)
        assert np.isnan(measured.accuracy)
        many = minidl.replicate(net, range(2))
        many.values[1] = np.nan
        accuracy = minidl.evaluate(many, minidl.CrossEntropyLoss(), X, LABELS).accuracy
        assert np.isnan(accuracy).tolist() == [False, True]

    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    @pytest.mark.parametrize("name", ["x", "y"])
    def test_the_sample_that_is_not_finite_is_named(self, name, value, engine):
        model, data = net(), {"x": X.copy(), "y": X[:, :2].copy()}
        data[name][7, 1] = value
        with (
            np.errstate(invalid="ignore"),
            pytest.raises(minidl.DivergenceError, match=f"; {name} is not finite at sample 7"),
        ):
            minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.01), **data, epochs=2, batch_size=3, engine=engine)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_nan_in_the_validation_set_stops_the_training_and_is_named(self, engine):
        model, bad = net(), X.copy()
        bad[5] = np.nan
        options = {"epochs": 2, "batch_size": 3, "engine": engine, "validation": (bad, LABELS)}
        with pytest.raises(
            ValueError, match=r"fit: validation: expected finite samples, .*: x is not finite at sample 5"
        ):
            minidl.fit(model, minidl.CrossEntropyLoss(), minidl.SGD(model, 0.01), X, LABELS, **options)

    def test_a_wrong_dtype_says_how_to_convert(self):
        with pytest.raises(TypeError, match=r"x\.astype\(np\.float32\), or build the layers with dtype='float64'"):
            minidl.predict(net(), X.astype(float))

    def test_a_target_without_its_axis_is_named_with_its_own_shape(self):
        model = net(out=1)
        with pytest.raises(ValueError, match=r"expected targets of shape \(12, 1\), got \(12,\); try y\[:, None\]"):
            minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.01), X, X[:, 0], epochs=1, batch_size=3)

    def test_the_same_seed_for_two_layers_is_warned_of(self):
        def layers(seed):
            return [minidl.Linear(3, 3, rng=seed), minidl.Tanh(), minidl.Linear(3, 3, rng=seed)]

        with pytest.warns(
            UserWarning, match=r"layers\[0\] and layers\[2\] start from the same random numbers: .*default_rng\(0\)"
        ):
            minidl.Sequential(layers(0))
        minidl.Sequential(layers(np.random.default_rng(0)))
        minidl.Sequential([minidl.Linear(3, 3, std_w=0, rng=0), minidl.Linear(3, 3, std_w=0, rng=0)])

    def test_the_same_seed_is_seen_in_nested_networks_with_any_spread_and_in_dropout(self):
        def one(seed, **options):
            return minidl.Linear(3, 3, rng=seed, **options)

        pairs = [
            (minidl.Sequential([one(0)]), one(0)),
            (one(0), one(0, std_w=0.1)),
            (one(0), one(0, std_b=0.1)),
            (one(0, dtype="float16"), one(0, std_w=0.1, dtype="float16")),
            (minidl.Dropout(0.5, rng=0), minidl.Dropout(0.2, rng=0)),
        ]
        for pair in pairs:
            with pytest.warns(UserWarning, match=r"layers\[0\] and layers\[1\] start from the same"):
                minidl.Sequential(pair)
        rng = np.random.default_rng(0)
        small = [minidl.Linear(1, 1, rng=rng), minidl.Linear(1, 1, rng=rng)]
        minidl.Sequential([one(rng), minidl.Dropout(rng=rng), one(rng), minidl.Dropout(rng=rng), one(rng)])
        minidl.Sequential(small)
        for seed in range(50):
            rng = np.random.default_rng(seed)
            minidl.Sequential([minidl.Linear(2, 2, std_w=1e-4, rng=rng), minidl.Linear(2, 2, std_w=1e-4, rng=rng)])

    def test_accuracy_of_a_prediction_that_is_nan_is_nan(self):
        rows = np.array([[0.9, 0.1], [np.nan, np.nan]])
        assert np.isnan(minidl.accuracy(rows, np.array([0, 0])))
        both = np.stack([rows, rows[[0, 0]]])
        found = minidl.accuracy(both, np.array([0, 0]), replicate_axes=1)
        np.testing.assert_array_equal(found, [np.nan, 1])

    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_validation_loss_that_is_nan_stops_with_the_history(self, engine):
        """Finite samples may give predictions that are not: before, the curve went on as nan."""
        huge = np.full((2, 3), 3e38, np.float32)
        options = {"epochs": 3, "batch_size": 4, "validation": (huge, LABELS[:2]), "engine": engine}
        model = minidl.Sequential([minidl.Linear(3, 2, rng=0)])
        model.values[:6] = 5.0  # both logits of `huge` are infinite, and their difference is nan
        with (
            np.errstate(all="ignore"),
            pytest.raises(minidl.DivergenceError, match="the validation loss is nan in epoch 1") as caught,
        ):
            minidl.fit(model, minidl.CrossEntropyLoss(), minidl.SGD(model, 0.01), X, LABELS, **options)
        assert len(caught.value.history) == 1

    def test_an_infinity_in_the_validation_set_is_named_before_the_first_step(self):
        model, bad = minidl.Linear(3, 2, rng=0), X.copy()
        bad[5, 0], before = np.inf, model.values.copy()
        with pytest.raises(ValueError, match=r"validation: expected finite samples, .*: x is not finite at sample 5"):
            minidl.fit(
                model, minidl.CrossEntropyLoss(), minidl.SGD(model, 0.01), X, LABELS, epochs=1, batch_size=3,
                validation=(bad, LABELS),
            )  # fmt: skip
        np.testing.assert_array_equal(model.values, before)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_replicate_that_diverges_by_its_rate_is_not_blamed_on_anothers_sample(self, engine):
        model = minidl.replicate(net, range(3))
        x = np.stack([X] * 3)
        x[2, 4] = np.nan
        sgd = minidl.SGD(model, np.array([0.01, 1e30, 0.01]))
        with pytest.warns(RuntimeWarning, match="has diverged") as caught, np.errstate(all="ignore"):
            minidl.fit(model, minidl.MSELoss(), sgd, x, x[..., :2] * 0, epochs=2, batch_size=3, engine=engine)
        words = {str(w.message).split()[2]: str(w.message) for w in caught if "diverged" in str(w.message)}
        assert words["1"].endswith("is frozen")
        assert words["2"].endswith("x is not finite at sample 4")

    @pytest.mark.parametrize(
        ("loss", "y", "words"),
        [
            (minidl.MSELoss(), X, r"expected targets of shape \(12, 2\), got \(12, 3\)$"),
            (minidl.MSELoss(), X[:, 0], r"expected targets of shape \(12, 2\), got \(12,\); try y\[:, None\]"),
            (minidl.MSELoss(), X[:, :2].astype(float), r"float32, got float64 \(12, 2\); try y\.astype\(np\.float32\)"),
            (minidl.MSELoss(), LABELS, r"expected targets of shape \(12, 2\), got \(12,\)"),
            (minidl.CrossEntropyLoss(), LABELS[:, None], r"indices of shape \(12,\), got \(12, 1\); .* try y\[:, 0\]$"),
            (minidl.CrossEntropyLoss(), X[:, :1], r"got \(12, 1\); .* try y\[:, 0\], and convert to integers"),
        ],
    )
    @pytest.mark.parametrize("engine", ENGINES)
    def test_targets_that_do_not_suit_are_named_with_all_samples_everywhere(self, loss, y, words, engine):
        model = net()
        sgd = minidl.SGD(model, 0.1)
        with pytest.raises((ValueError, TypeError), match=words):
            minidl.fit(model, loss, sgd, X, y, epochs=1, batch_size=3, engine=engine)
        with pytest.raises((ValueError, TypeError), match=words):
            minidl.evaluate(model, loss, X, y, batch_size=5, engine=engine)
        with pytest.raises((ValueError, TypeError), match=words):
            minidl.train_step(model, loss, sgd, X, y, engine=engine)

    def test_integers_for_x_say_how_to_convert(self):
        with pytest.raises(TypeError, match=r"got int64 \(12, 3\); try x\.astype\(np\.float32\)"):
            minidl.predict(net(), X.astype(int))

    def test_accuracy_takes_nothing_but_none_true_and_false(self):
        with pytest.raises(TypeError, match="evaluate: expected accuracy to be None, True or False, got 'no'"):
            minidl.evaluate(net(), minidl.MSELoss(), X, X[:, :2], accuracy="no")

    @pytest.mark.parametrize("engine", ENGINES)
    def test_samples_that_an_own_loss_leaves_out_may_be_nan_in_validation(self, engine):
        class Masked(minidl.MSELoss):
            def forward(self, prediction, target, **options):
                return super().forward(prediction, np.where(np.isnan(target), prediction, target), **options)

        model, y = net(), X[:, :2].copy()
        y[3] = np.nan
        options = {"epochs": 1, "batch_size": 3, "validation": (X, y), "engine": engine}
        if engine == "auto":
            assert np.isfinite(minidl.fit(model, Masked(), minidl.SGD(model, 0.01), X, y, **options).val_loss).all()
        many = minidl.replicate(net, range(2))
        x = np.stack([X, X])
        x[1, 5] = np.nan
        options["validation"] = (x, X[:, :2])
        history = minidl.fit(many, minidl.MSELoss(), minidl.SGD(many, 0.01), X, X[:, :2], **options)
        assert np.isnan(history.val_loss[0]).tolist() == [False, True]
        assert not history.diverged

    def test_own_losses_keep_their_own_errors(self):
        class Cold(minidl.MSELoss):
            def forward(self, *_, **__):
                raise ValueError("temperature is too low")

        model = net(out=1)
        with pytest.raises(ValueError, match="temperature is too low"):
            minidl.train_step(model, Cold(), minidl.SGD(model, 0.1), X, X[:, 0])

    def test_wrong_widths_are_named_with_all_samples(self):
        model = net(out=3)
        with pytest.raises(ValueError, match=r"expected 2 outputs for each target, .* \(12, 3\)"):
            minidl.fit(
                model, minidl.QuantileLoss(quantiles=[0.1, 0.9]), minidl.SGD(model, 0.1), X, X[:, :1], epochs=1,
                batch_size=3,
            )  # fmt: skip
        with pytest.raises(TypeError, match=r"integers, got float32 \(12,\); try y\.astype\(int\)"):
            minidl.evaluate(model, minidl.CrossEntropyLoss(), X, X[:, 0])
