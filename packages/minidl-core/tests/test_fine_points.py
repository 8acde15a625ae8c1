"""Differences so small that only a changed operator in the formulas shows them (see the session `mutation`)."""

import numpy as np
import pytest

import minidl
from minidl.optim.optimizer import power
from minidl.training import threads


def twos(*layers):
    return minidl.Sequential([minidl.Linear(2, 2, lr=1.0, rng=0), *layers])


@pytest.mark.parametrize("make", [minidl.SGD, minidl.Adam, minidl.AdamW, minidl.RMSprop])
def test_rates_of_replicates_are_rounded_as_one_rate_is(make, rng):
    rates = rng.uniform(0.001, 0.1, 16)
    model = minidl.replicate(lambda rng: minidl.Linear(3, 4, rng=rng), range(16))
    together = make(model, rates)
    singles = minidl.unstack(model)
    each = [make(single, rate) for single, rate in zip(singles, rates, strict=True)]
    for _ in range(5):
        gradient = rng.standard_normal(model.grads.shape).astype(np.float32)
        model.grads[...] = gradient
        together.step()
        for single, optimizer, row in zip(singles, each, gradient, strict=True):
            single.grads[...] = row
            optimizer.step()
    np.testing.assert_array_equal(model.values, [single.values for single in singles])


def test_several_replicate_axes_are_kept():
    layer = minidl.Linear(2, 3, rng=0)
    size = layer.values.size
    layer.move_to((5, 4), np.ones((5, 4, size)), np.zeros((5, 4, size)))
    assert layer.broadcast_param("bias", np.ones((5, 4, 7, 3))).shape == (5, 4, 1, 3)
    np.testing.assert_array_equal(power(2.0, np.array([[1.0, 2.0], [3.0, 4.0]])), [[2, 4], [8, 16]])


def test_powers_of_an_array_are_those_of_its_elements(rng):
    bases = rng.uniform(0.8, 1, 10_000)
    np.testing.assert_array_equal(power(bases, 2), [base**2 for base in bases.tolist()])
    for exponent in (400.0, np.array([1.0, 400.0])):
        with pytest.raises(OverflowError):
            power(10.0, exponent)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_settings_of_replicates_promote_nothing(dtype, rng):
    alphas, rates = iter([0.1, 0.2, 0.3]), iter([0.1, 0.5, 0.9])
    leaky = minidl.replicate(lambda _: minidl.LeakyReLU(next(alphas)), range(3))
    dropout = minidl.replicate(lambda rng: minidl.Dropout(next(rates), rng=rng), range(3))
    x = rng.standard_normal((3, 4, 5)).astype(dtype)
    for module in (leaky, dropout):
        assert module(x).dtype == module.infer(x).dtype == module.backward(x).dtype == dtype


def test_a_part_of_a_network_is_updated_by_its_own_rates():
    with pytest.warns(UserWarning, match="same random numbers"):
        model = twos(twos(minidl.Linear(2, 2, lr=10.0)))
    model.values[...] = 0
    model.grads[...] = 1
    model[1].update()
    assert model.values.tolist() == [0.0] * 6 + [-1.0] * 6 + [-10.0] * 6


def test_momentum_may_come_later_and_none_keeps_no_velocity():
    layer = minidl.Linear(1, 1, bias=False, dtype="float64", rng=0)
    layer.values[...] = 0
    optimizer = minidl.SGD(layer, 1.0)
    for momentum, expected in ((0.0, -1.0), (0.5, -2.0), (0.5, -3.5)):
        optimizer.momentum = momentum
        layer.grads[...] = 1
        optimizer.step()
        assert layer.values.item() == expected
        assert (optimizer.velocity is None) == (momentum == 0)


def test_no_weight_decay_leaves_infinite_parameters_infinite():
    layer = minidl.Linear(1, 1, bias=False, rng=0)
    layer.values[...] = np.inf
    layer.grads[...] = 1
    minidl.SGD(layer, 1.0).step()
    assert layer.values.item() == np.inf


class Around(minidl.Module):
    """A container that computes what its child does."""

    def __init__(self, inside):
        super().__init__(None, {"inside": inside})

    def forward(self, x):
        return self.save_for_backward(self._children["inside"].forward(x))

    def backward(self, dy, *, need_dx=True):
        return self._children["inside"].backward(dy, need_dx=need_dx)


def test_networks_that_differ_inside_a_container_are_no_replicates():
    kinds = iter([minidl.Tanh, minidl.ReLU])
    with pytest.raises(ValueError, match="replicate: network 1 differs from network 0"):
        minidl.replicate(lambda _: Around(next(kinds)()), range(2))


def test_networks_may_differ_in_numbers_inside_a_container():
    alphas = iter([0.1, 0.5])
    model = minidl.replicate(lambda _: Around(minidl.LeakyReLU(next(alphas))), range(2))
    np.testing.assert_allclose(model(-np.ones((2, 1, 1))).ravel(), [-0.1, -0.5])


@pytest.mark.parametrize("between", [(), (3,), (3, 4)], ids=str)
def test_the_accuracy_of_replicates_is_that_of_each(between, rng):
    shape = (2, *between, 5)
    prediction, target = rng.standard_normal((*shape, 3)), rng.integers(0, 3, shape)
    each = [minidl.accuracy(p, t) for p, t in zip(prediction, target, strict=True)]
    assert 0 < min(each) < max(each)
    np.testing.assert_allclose(minidl.accuracy(prediction, target, replicate_axes=1), each)
    np.testing.assert_allclose(
        minidl.accuracy(prediction, target[0], replicate_axes=1), [minidl.accuracy(p, target[0]) for p in prediction]
    )


def test_an_error_says_whether_prediction_or_target_is_no_probability():
    good, bad = np.array([[0.5]]), np.array([[1.5]])
    with pytest.raises(ValueError, match=r"^BCELoss\(sum\): expected a prediction in \[0, 1\]"):
        minidl.BCELoss()(bad, good)
    with pytest.raises(ValueError, match=r"^BCELoss\(sum\): expected a target in \[0, 1\]"):
        minidl.BCELoss()(good, bad)


def test_shared_classes_that_are_no_integers_are_named_as_such():
    with pytest.raises(TypeError, match="expected class indices to be integers"):
        minidl.CrossEntropyLoss()(np.zeros((2, 4, 3)), np.zeros(4), replicate_axes=1)


def test_a_backend_says_its_name_and_is_taken_as_it_is():
    backend = minidl.get_backend("numpy")
    assert repr(backend) == "Backend('numpy')"
    assert minidl.get_backend(backend) is backend is minidl.Linear(1, 1, backend=backend).backend


def test_true_is_no_seed():
    with pytest.raises(TypeError, match=r"Linear: expected rng to be None, an int >= 0, .*, got True"):
        minidl.Linear(1, 1, rng=True)


def test_values_that_are_no_array_are_named_by_their_type():
    with pytest.raises(TypeError, match="expected values to be a NumPy array or a torch tensor, got list"):
        minidl.Linear(1, 1, rng=0).update(0.1, [1.0, 2.0])


def test_without_processor_affinity_all_processors_count(monkeypatch):
    monkeypatch.delattr(threads.os, "sched_getaffinity", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for processors, count in (None, 1), (3, 3):
        monkeypatch.setattr(threads.os, "cpu_count", lambda processors=processors: processors)
        assert threads.thread_count(None) == count


def test_a_process_that_may_have_few_threads_takes_no_more(monkeypatch):
    monkeypatch.delattr(threads.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    for limit, count in ("1", 1), ("3", 3), ("8", 4), ("0", 1), ("", 4), ("2,1", 4):
        monkeypatch.setenv("OMP_NUM_THREADS", limit)
        assert threads.thread_count(None) == count
    assert threads.thread_count(6) == 6


def test_the_next_rates_are_those_that_the_steps_take():
    layer = minidl.Linear(2, 2, lr=0.5, rng=0)
    assert minidl.SGD(layer).next_rates(3) is None
    layer.lr = None
    assert minidl.SGD(layer, 0.25).next_rates(3).tolist() == [0.25] * 3
    decaying = minidl.SGD(layer, kappa=1, eta=0.5)
    assert decaying.next_rates(3).tolist() == [0.5, 0.25, 0.5 / 3]
    layer.grads[...] = 1
    decaying.step()
    assert decaying.next_rates(2).tolist() == [0.25, 0.5 / 3]
    many = minidl.replicate(lambda rng: minidl.Linear(2, 2, rng=rng), range(2))
    assert minidl.SGD(many, [0.25, 0.5]).next_rates(3).tolist() == [[0.25, 0.5]] * 3
    assert minidl.SGD(many, kappa=1, eta=[0.5, 1.0]).next_rates(2).tolist() == [[0.5, 1.0], [0.25, 0.5]]


def test_an_optimizer_as_data_holds_its_settings_and_its_very_vectors():
    layer = minidl.Linear(2, 2, rng=0)
    sgd, adam = minidl.SGD(layer, 0.1, momentum=0.5, weight_decay=0.25), minidl.Adam(layer, beta1=0.5)
    assert list(sgd.state().settings) == ["momentum", "nesterov", "weight_decay", "clip", "decay_biases"]
    assert sgd.state().vectors["velocity"] is sgd.velocity
    state = adam.state()
    assert list(state.settings) == ["beta1", "beta2", "eps", "eps_hat", "weight_decay", "clip", "decay_biases"]
    assert (state.kind, state.settings["beta1"], state.settings["weight_decay"]) == ("Adam", 0.5, 0.0)
    assert state.vectors["m"] is adam.m
