"""Faults that users of such software reported elsewhere; docs/faults.md lists kind, cause and test."""

import threading

import numpy as np
import pytest
from hypothesis import assume, given, settings
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

    def test_a_loss_that_a_callback_puts_into_a_list_counts_in_the_next_epoch(self):
        class Listed(minidl.Loss):
            def __init__(self):
                super().__init__()
                self.parts = []

            def forward(self, prediction, target, *, replicate_axes=0):
                self.save_for_backward(0.0, prediction)
                return sum(part(prediction, target, replicate_axes=replicate_axes) for part in self.parts)

            def backward(self):
                return sum((part.backward() for part in self.parts), np.zeros_like(self.saved()[0]))

        model, loss, part = net(), Listed(), minidl.MSELoss()
        change = [lambda epoch, _history: loss.parts.append(part) if epoch == 1 else None]
        history = minidl.fit(
            model, loss, minidl.SGD(model, 0.001), X, X[:, :2], epochs=2, batch_size=5, callbacks=change, engine="numpy"
        )
        assert history.loss[0] == 0.0 < history.loss[1]
        with pytest.raises(ValueError, match="backward before forward"):
            part.backward()  # the training used a copy

    def test_a_private_copy_is_made_anew_for_whatever_has_changed(self):
        loss = minidl.HuberLoss(delta=1.0)
        twin = loss.private_copy()
        loss.forward(X, 2 * X)
        assert loss.still_has(twin)
        loss.delta = 2.0
        assert not loss.still_has(twin)
        loss.forward = lambda *_, **__: 1.0
        assert loss.private_copy() is loss
        assert not loss.still_has(loss)  # the method may be taken away again


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
        assume(reduction == "mean" or 2 * n * scale < 65504)  # the gradient is a float16 itself
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
