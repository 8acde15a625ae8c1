"""Faults that users of such software reported elsewhere; docs/faults.md lists kind, cause and test."""

import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=20, deadline=None, derandomize=True)
X = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
LABELS = np.arange(12) % 2
ENGINES = ["numpy", "auto"]


def net(rng=0, out=2, dtype="float32", **options):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(3, 4, rng=rng, dtype=dtype, **options), minidl.Tanh()]
    return minidl.Sequential([*layers, minidl.Linear(4, out, rng=rng, dtype=dtype, **options)])


class TestLosses:
    def test_two_threads_may_train_with_one_loss_object(self):
        """Before: each took the gradient of the other's batch."""
        loss, found = minidl.CrossEntropyLoss(), {}

        def train(seed):
            model = net(seed)
            minidl.fit(
                model, loss, minidl.SGD(model, 0.05), X, LABELS, epochs=40, batch_size=3, rng=seed, engine="numpy"
            )
            found[seed] = model.values.copy()

        threads = [threading.Thread(target=train, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        together = dict(found)
        for seed in range(4):
            train(seed)
            np.testing.assert_array_equal(together[seed], found[seed])

    @pytest.mark.parametrize("shared", [False, True])
    def test_an_own_loss_that_returns_another_reduction_than_it_says_is_refused(self, shared):
        class Mean(minidl.Loss):
            def forward(self, prediction, target, *, replicate_axes=0):
                diff = prediction - target
                return self.save_for_backward((diff * diff).mean(axis=tuple(range(replicate_axes, diff.ndim))), diff)

            def backward(self):
                return 2 * self.saved()[0]

        model = minidl.replicate(net, range(3)) if shared else net()
        y = X[:, :2]
        with pytest.raises(
            ValueError, match=r"expected Mean to return the sum .*, got their mean: pass reduction='mean'"
        ):
            minidl.fit(model, Mean(), minidl.SGD(model, 0.01), X, y, epochs=1, batch_size=5)
        minidl.fit(model, Mean("mean"), minidl.SGD(model, 0.01), X, y, epochs=1, batch_size=5)

    def test_the_reduction_of_an_own_loss_is_compared_on_samples_that_tell(self):
        """A constant, a zero or nan tells nothing; evaluate asks too."""

        class WithConstant(minidl.Loss):
            constant = 1e6

            def forward(self, prediction, target, *, replicate_axes=0):
                diff = prediction - target
                value = self.reduce(diff * diff, replicate_axes) + self.constant
                return self.save_for_backward(value, diff)

            def backward(self):
                return 2 * self.saved()[0] * self.term_weight

        class Lying(WithConstant):
            constant = 0.0

            def __init__(self, says):
                super().__init__(says)
                self.other = minidl.MSELoss("mean" if says == "sum" else "sum")

            def reduce(self, terms, replicate_axes):
                return self.other.reduce(terms, replicate_axes)

        model = net()
        for reduction in ("sum", "mean"):
            minidl.evaluate(model, WithConstant(reduction), X, X[:, :2])
            with pytest.raises(ValueError, match=f"evaluate: expected Lying to return the {reduction}"):
                minidl.evaluate(model, Lying(reduction), X, X[:, :2])
        exact = minidl.predict(model, X)
        minidl.evaluate(model, Lying("sum"), X, exact)
        x = X.copy()
        x[0] = np.nan
        minidl.evaluate(model, Lying("sum"), x, exact)

    @pytest.mark.parametrize("nested", [False, True])
    def test_a_state_of_an_own_loss_lasts(self, nested):
        """Before: each epoch started with a copy from before the first."""

        class Counting(Half):
            steps = 0

            def forward(self, prediction, target, *, replicate_axes=0):
                self.steps += 1
                return super().forward(prediction, target, replicate_axes=replicate_axes)

        own = Counting()
        loss = Around() if nested else own
        if nested:
            loss.inner = own
        model, seen = net(), []
        sgd = minidl.SGD(model, 0.01)
        options = {"epochs": 3, "batch_size": 4, "callbacks": [lambda *_: seen.append(own.steps)]}
        minidl.fit(model, loss, sgd, X, X[:, :2], **options)
        assert seen == [3, 6, 9]
        minidl.train_step(model, loss, sgd, X, X[:, :2])
        assert own.steps == 10

    def test_losses_in_containers_are_copied_and_a_loss_in_two_places_once(self):
        class Multi(minidl.Loss):
            def __init__(self):
                super().__init__()
                self.main = minidl.MSELoss()
                self.parts = [self.main, minidl.L1Loss()]
                self.named = {"main": self.main}

            def forward(self, prediction, target, *, replicate_axes=0):
                return sum(part(prediction, target, replicate_axes=replicate_axes) for part in self.parts)

            def backward(self):
                return self.named["main"].backward() + self.parts[1].backward()

        loss = Multi()
        twin = loss.private_copy()
        assert twin.main is twin.parts[0] is twin.named["main"]
        assert twin.main is not loss.main
        model = net()
        history = minidl.fit(model, loss, minidl.SGD(model, 0.01), X, X[:, :2], epochs=2, batch_size=5, engine="numpy")
        assert history.loss[1] < history.loss[0]
        with pytest.raises(ValueError, match="backward before forward"):
            loss.main.backward()

    def test_a_state_of_an_own_loss_lasts_where_the_training_diverges(self):
        class Counting(Half):
            steps = 0

            def forward(self, prediction, target, *, replicate_axes=0):
                self.steps += 1
                return super().forward(prediction, target, replicate_axes=replicate_axes)

        model, loss = net(), Counting()
        with np.errstate(all="ignore"), pytest.raises(minidl.DivergenceError):
            minidl.fit(model, loss, minidl.SGD(model, 1e9), X, X[:, :2], epochs=9, batch_size=2)
        assert loss.steps > 1

    def test_a_reduction_that_a_callback_assigns_counts_on_both_engines(self):
        found = []
        for engine in ENGINES:
            model, loss = net(dtype="float64"), minidl.MSELoss("mean")
            optimizer = minidl.SGD(model, 0.001)
            x, y = X.astype(float), X[:, :2].astype(float)
            change = [lambda *_, loss=loss: setattr(loss, "reduction", "sum")]
            history = minidl.fit(
                model, loss, optimizer, x, y, epochs=3, batch_size=5, rng=0, callbacks=change, engine=engine
            )
            found.append((history.loss, model.values))
        np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)
        np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-9)


class Half(minidl.Loss):
    def forward(self, prediction, target, *, replicate_axes=0):
        diff = prediction - target
        return self.save_for_backward(0.5 * self.reduce(diff * diff, replicate_axes), diff)

    def backward(self):
        return self.saved()[0]


class Around(minidl.Loss):
    def __init__(self):
        super().__init__()
        self.inner = minidl.MSELoss()

    def forward(self, prediction, target, *, replicate_axes=0):
        return self.save_for_backward(self.inner.forward(prediction, target, replicate_axes=replicate_axes))

    def backward(self):
        return self.inner.backward()


def test_a_loss_that_goes_on_after_its_sum_is_reported_in_float16_too():
    found = [
        minidl.evaluate(net(dtype=d), Half(), X.astype(d), X[:, :2].astype(d)).loss for d in ("float16", "float64")
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-2)


def test_evaluate_leaves_the_loss_inside_another_as_it_is():
    loss, ones = Around(), np.ones((2, 2), np.float32)
    loss.forward(ones, 0 * ones)
    minidl.evaluate(net(), loss, X, X[:, :2])
    assert loss.backward().shape == (2, 2)


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "misaligned": lambda a: np.frombuffer(b"." + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    "reversed": lambda a: a[::-1].copy()[::-1],
    "read only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


class TestArrays:
    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("layout", [*LAYOUTS, "file"])
    def test_any_layout_trains_predicts_and_validates(self, layout, engine, tmp_path):
        def laid(a):
            if layout != "file":
                return LAYOUTS[layout](a)
            a.tofile(tmp_path / f"{a.dtype}{a.ndim}")
            return np.memmap(tmp_path / f"{a.dtype}{a.ndim}", a.dtype, "r", shape=a.shape)

        found = []
        for form in (lambda a: a, laid):
            model, loss = net(), minidl.CrossEntropyLoss()
            x, y = form(X), form(LABELS)
            options = {"epochs": 2, "batch_size": 5, "rng": 0, "validation": (x, y), "engine": engine}
            history = minidl.fit(model, loss, minidl.Adam(model), x, y, **options)
            minidl.train_step(model, loss, minidl.SGD(model, 0.1), x, y, engine=engine)
            found.append((model.values, minidl.predict(model, x, engine=engine), history.val_loss))
            found[-1] += (minidl.evaluate(model, loss, x, y, engine=engine).loss,)
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-5)

    @quick
    @given(n=st.integers(1, 4000), scale=st.floats(1, 20), reduction=st.sampled_from(["sum", "mean"]))
    def test_float16_does_not_overflow_in_sums_over_samples(self, n, scale, reduction):
        model = minidl.Linear(1, 1, std_w=0, dtype="float16", rng=0)
        x, y = np.zeros((n, 1), np.float16), np.full((n, 1), scale, np.float16)
        loss = minidl.MSELoss(reduction)
        expected = float(np.float16(y[0, 0] * y[0, 0]))
        for size in (None, 7, 1000):
            assert minidl.evaluate(model, loss, x, y, batch_size=size).loss == pytest.approx(expected, rel=1e-3)
        sgd = minidl.SGD(model, 0.0)
        history = minidl.fit(model, loss, sgd, x, y, epochs=1, batch_size=n, validation=(x, y))
        assert history.loss[0] == pytest.approx(expected, rel=1e-3)
        assert history.val_loss[0] == pytest.approx(expected, rel=1e-3)

    @pytest.mark.parametrize("x", [np.array(2.0), np.array(2.0, np.float32)])
    def test_dropout_takes_an_array_without_axes(self, x):
        dropout = minidl.Dropout(0.5, rng=0)
        y = dropout(x)
        assert y.dtype == x.dtype
        assert dropout.backward(np.asarray(y)).shape == ()


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
