"""There is one learning rate: the optimizer's, its schedule's, or each layer's own; a conflict is refused."""

import numpy as np
import pytest

import minidl


def layer():
    return minidl.Linear(2, 2, rng=0)


class TestOneRate:
    """There is one learning rate: the optimizer's, its schedule's, or each layer's own; a conflict is refused."""

    def test_lr_beside_a_schedule(self, unchanged):
        optimizer = minidl.SGD(layer(), kappa=1, eta=0.5)
        with (
            unchanged(optimizer),
            pytest.raises(ValueError, match=r"SGD: expected lr, or kappa and eta, .*eta to None"),
        ):
            optimizer.lr = 0.1
        optimizer.eta = None
        optimizer.lr = 0.1
        assert optimizer.next_rate() == 0.1
        with unchanged(optimizer), pytest.raises(ValueError, match=r"SGD: expected lr, or kappa and eta, .*lr to None"):
            optimizer.eta = 0.5

    @pytest.mark.parametrize(
        "make", [minidl.Adam, lambda m: minidl.SGD(m, 0.1), lambda m: minidl.SGD(m, kappa=1, eta=1)]
    )
    def test_a_layers_own_rate_beside_the_optimizers(self, make):
        model = minidl.Sequential([minidl.Linear(2, 3, lr=0.0, rng=0), minidl.Linear(3, 1, rng=1)])
        with pytest.raises(
            ValueError, match=r"expected layers without learning rates of their own, got Linear\(2 -> 3, lr"
        ):
            make(model)

    def test_kappa_beside_lr(self, unchanged):
        optimizer = minidl.SGD(layer(), 0.1)
        with unchanged(optimizer), pytest.raises(ValueError, match=r"SGD: expected lr, or kappa and eta"):
            optimizer.kappa = 1

    def test_train_step_sees_a_rate_that_is_given_to_a_layer_later(self):
        model = minidl.Sequential([minidl.Linear(2, 1, rng=0)])
        optimizer = minidl.Adam(model)
        model[0].lr = 0.0
        x = np.ones((4, 2), np.float32)
        with pytest.raises(ValueError, match="expected layers without learning rates of their own"):
            minidl.train_step(model, minidl.MSELoss(), optimizer, x, x[:, :1])

    @pytest.mark.parametrize("engine", ["numpy", "auto"])
    def test_a_rate_that_is_given_to_a_layer_later_is_refused_by_fit(self, engine):
        model = minidl.Sequential([minidl.Linear(2, 1, rng=0)])
        optimizer = minidl.Adam(model)
        model[0].lr = 0.0
        x = np.ones((4, 2), np.float32)
        with pytest.raises(ValueError, match="expected layers without learning rates of their own"):
            minidl.fit(model, minidl.MSELoss(), optimizer, x, x[:, :1], epochs=1, batch_size=2, engine=engine)

    @pytest.mark.parametrize("engine", ["numpy", "auto"])
    def test_a_rate_that_a_callback_gives_to_a_layer_is_refused(self, engine):
        model = minidl.Sequential([minidl.Linear(2, 1, rng=0)])
        x, seen = np.ones((4, 2), np.float32), []

        def assign(*_):
            model[0].lr = 0.0
            seen.append(model.values.copy())

        options = {"epochs": 3, "batch_size": 2, "callbacks": [assign], "engine": engine}
        with pytest.raises(ValueError, match="expected layers without learning rates of their own"):
            minidl.fit(model, minidl.MSELoss(), minidl.Adam(model), x, x[:, :1], **options)
        assert len(seen) == 1
        np.testing.assert_array_equal(model.values, seen[0])

    @pytest.mark.parametrize("where", ["optimizer", "layer"])
    def test_a_rate_per_replicate_that_is_changed_in_place_is_checked(self, where):
        model = minidl.replicate(lambda rng: minidl.Linear(2, 1, rng=rng), range(2))
        rates = np.array([0.1, 0.2])
        optimizer = minidl.SGD(model, rates if where == "optimizer" else None)
        if where == "layer":
            model.lr = rates
        (optimizer if where == "optimizer" else model).lr[1] = -1
        x = np.ones((4, 2), np.float32)
        with pytest.raises(ValueError, match="expected lr to be finite and >= 0"):
            minidl.fit(model, minidl.MSELoss(), optimizer, x, x[:, :1], epochs=1, batch_size=2)

    def test_a_layer_with_rate_zero_stays_as_it_is(self):
        model = minidl.Sequential([minidl.Linear(2, 3, lr=0.0, rng=0), minidl.Linear(3, 1, lr=0.1, rng=1)])
        before = model.values.copy()
        x = np.ones((4, 2), np.float32)
        minidl.fit(model, minidl.MSELoss(), minidl.Adam(model, None), x, x[:, :1], epochs=2, batch_size=2)
        np.testing.assert_array_equal(model[0].values, before[:9])
        assert (model[1].values != before[9:]).all()
