"""Law 3: backward adds to the gradients, also where it is allowed to write because they are known to be zero."""

import numpy as np
import pytest

import minidl


@pytest.fixture
def dy(rng):
    return rng.standard_normal((6, 2)).astype(np.float32)


def gradients_after(model, x, dy, touch=None):
    """Return the gradients of one backward pass, after doing something to those of before."""
    model.eval().forward(x)
    model.zero_grad()
    if touch is not None:
        touch(model)
    model.backward(dy)
    return model.grads.copy()


@pytest.fixture
def once(network, samples, dy):
    """Return the gradients that one backward pass of `model` adds."""
    gradients = gradients_after(network(), samples[0], dy)
    assert np.count_nonzero(gradients) > 40
    return gradients


@pytest.fixture(params=[False, True], ids=["unwatched", "watched"])
def model(request, network, samples):
    """Return a network behind its forward; watched, it never again knows for sure that its gradients are zero."""
    model = network().eval()
    if request.param:
        assert not model.grads.any()
    model.forward(samples[0])
    return model


def test_writing_and_adding_give_the_same(model, dy, once):
    model.zero_grad()
    model.backward(dy)
    np.testing.assert_array_equal(model.grads, once)


@pytest.mark.parametrize(
    "touch",
    [
        lambda model: np.add(model.grads, 1, out=model.grads),
        lambda model: [np.add(grad, 1, out=grad) for _, grad in model.params()],
        lambda model: [np.add(layer.grads, 1, out=layer.grads) for layer in model.layers],
        lambda model: [np.add(grad, 1, out=grad) for layer in model.layers for _, grad in layer.params()],
    ],
    ids=["network", "params", "layers", "params of layers"],
)
def test_what_was_written_into_the_gradients_is_kept(network, samples, dy, once, touch):
    np.testing.assert_array_equal(gradients_after(network(), samples[0], dy, touch), once + 1)


@pytest.mark.parametrize("cleared", [True, False], ids=["cleared", "new"])
def test_every_further_backward_adds(model, dy, once, cleared):
    if cleared:
        model.zero_grad()
    for _ in range(3):
        model.backward(dy)
    np.testing.assert_allclose(model.grads, 3 * once, rtol=3e-7)  # (g + g) + g rounds once


def test_clearing_a_layer_clears_only_that(model, dy, once):
    model.zero_grad()
    model.backward(dy)
    model[2].zero_grad()
    model.backward(dy)
    inner = (np.arange(50) >= 20) & (
        np.arange(50) < 40
    )  # behind Linear(3 -> 5), the nested Linear(5 -> 4) without bias
    np.testing.assert_array_equal(model.grads, np.where(inner, once, 2 * once))


def test_update_clears(model, dy, once):
    for _ in range(2):
        model.backward(dy)
        model.update(0.0)
    model.backward(dy)
    np.testing.assert_array_equal(model.grads, once)
    model.update(0.0)
    assert not model.grads.any()


def test_nan_in_the_old_gradients_is_gone_when_they_are_cleared(model, dy, once):
    model.backward(np.full_like(dy, np.nan))
    model.zero_grad()
    model.backward(dy)
    np.testing.assert_array_equal(model.grads, once)


def test_fresh_gradients_are_written_without_being_read(network, samples, dy, once):
    model = network().eval()
    model.forward(samples[0])
    model.zero_grad()
    model.grads_to_read[...] = np.nan  # which nobody outside could have done; it shows that this way is taken at all
    model.backward(dy)
    np.testing.assert_array_equal(model.grads, once)


def test_replicates_write_and_add_alike():
    def gradients(*, fresh):
        model = minidl.replicate(lambda rng: minidl.Linear(3, 2, rng=rng), range(4))
        x, dy = np.ones((5, 3), np.float32), np.full((4, 5, 2), 2, np.float32)
        model.forward(x)
        if fresh:
            model.zero_grad()
        model.backward(dy)
        return model.grads

    np.testing.assert_array_equal(gradients(fresh=True), np.full((4, 8), 10))
    np.testing.assert_array_equal(gradients(fresh=False), np.full((4, 8), 10))


@pytest.mark.parametrize("hand_out", [lambda m: m.grads, lambda m: m.params()[0].grad], ids=["grads", "params"])
def test_what_is_written_into_a_view_held_since_before_the_clearing_is_added_to(hand_out):
    layer = minidl.Linear(2, 3, dtype="float64", rng=0)
    x, dy = np.ones((4, 2)), np.ones((4, 3))
    view = hand_out(layer)
    layer.zero_grad()
    view += 100
    layer.forward(x)
    layer.backward(dy)
    np.testing.assert_array_equal(layer.params()[0].grad, np.full((3, 2), 104.0))
