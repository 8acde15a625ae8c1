"""Deep copies and pickles keep the views alive, share nothing, and go on exactly as the original would."""

import copy
import pickle

import numpy as np
import pytest

import minidl

WAYS = {f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in (2, pickle.HIGHEST_PROTOCOL)}
WAYS["deepcopy"] = copy.deepcopy
by_every_way = pytest.mark.parametrize("duplicate", WAYS.values(), ids=WAYS)


def train(model, optimizer, x, y, steps=3):
    """Make some steps and return the values after each."""
    loss, course = minidl.MSELoss(), []
    for _ in range(steps):
        loss(model(x), y, replicate_axes=len(model.replicate_shape))
        model.backward(loss.backward())
        optimizer.step()
        course.append(model.values.copy())
    return np.stack(course)


@by_every_way
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("replicates", [0, 3])
def test_a_copy_has_living_views_of_its_own(network, duplicate, dtype, replicates):
    model = minidl.replicate(lambda rng: network(rng, dtype), range(replicates)) if replicates else network(0, dtype)
    model.grads[...] = 5
    twin = duplicate(model)
    assert (twin.dtype, twin.replicate_shape, twin.spec(), repr(twin)) == (
        model.dtype,
        model.replicate_shape,
        model.spec(),
        repr(model),
    )
    np.testing.assert_array_equal(twin.values, model.values)
    np.testing.assert_array_equal(twin.grads, model.grads)
    before = model.values.copy()
    twin.values[...] = twin.grads[...] = 2
    for value, grad in twin.params():
        assert (value == 2).all()
        assert (grad == 2).all()
    twin[2].update(1.0)
    assert not twin[2].values.any()
    assert (twin.values == 2).sum() == twin.values.size - twin[2].values.size
    np.testing.assert_array_equal(model.values, before)
    assert (model.grads == 5).all()


@by_every_way
def test_a_copy_keeps_mode_settings_and_masks(network, samples, duplicate):
    model = network(lr=0.25)
    model(samples[0])
    model[1].eval()
    twin = duplicate(model)
    assert [module.training for module in twin.modules()] == [module.training for module in model.modules()]
    assert twin[0].lr == 0.25
    for _ in range(3):  # the masks of dropout too
        np.testing.assert_array_equal(twin(samples[0]), model(samples[0]))


@by_every_way
def test_layers_that_share_a_generator_still_share_one(duplicate):
    rng = np.random.default_rng(0)
    model = minidl.Sequential([minidl.Dropout(rng=rng), minidl.Dropout(rng=rng)])
    x = np.ones((20, 20))
    twin = duplicate(model)
    first = twin(x)
    np.testing.assert_array_equal(first, model(x))
    np.testing.assert_array_equal(twin[1](x), model[1](x))


@by_every_way
def test_a_copy_of_a_layer_leaves_its_network(network, duplicate):
    model = network()
    twin = duplicate(model[4])
    assert twin.values.shape == (10,)
    np.testing.assert_array_equal(twin.values, model[4].values)
    assert twin.spec()[0].params[0].start == 0
    twin.values[...] = 0
    assert model[4].values.any()
    other = minidl.Sequential([twin])
    assert np.shares_memory(other.values, twin.weight)


@by_every_way
def test_a_copy_has_not_run_forward(network, samples, duplicate):
    model = network()
    y = model(samples[0])
    with pytest.raises(ValueError, match=r"Sigmoid: backward before forward"):
        duplicate(model).backward(y)
    model.backward(y)


@by_every_way
@pytest.mark.parametrize(
    "make",
    [
        lambda model: minidl.SGD(model, kappa=0.5, eta=0.1),
        lambda model: minidl.SGD(model, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda model: minidl.Adam(model, 0.01, weight_decay=0.01),
    ],
    ids=["decay", "momentum", "adam"],
)
def test_a_model_and_its_optimizer_are_copied_together(network, samples, duplicate, make):
    model = network()
    optimizer = make(model)
    train(model, optimizer, *samples)
    twin, twins_optimizer = duplicate((model, optimizer))
    assert twins_optimizer.model is twin
    before = model.values.copy()
    course = train(twin, twins_optimizer, *samples)
    np.testing.assert_array_equal(model.values, before)
    np.testing.assert_array_equal(train(model, optimizer, *samples), course)
    assert (course[-1] != before).mean() > 0.5


@by_every_way
def test_an_optimizer_of_one_layer_is_copied_with_the_network(duplicate):
    model = minidl.Sequential([minidl.Linear(2, 2, rng=0), minidl.Linear(2, 1, rng=1)])
    optimizer = minidl.SGD(model[1], 1.0)
    for pair in ((model, optimizer), (optimizer, model)):
        copies = duplicate(pair)
        twin, twins_optimizer = copies if isinstance(copies[0], minidl.Module) else copies[::-1]
        twin.grads[...] = 1
        twins_optimizer.step()
        np.testing.assert_array_equal(twin.values, np.subtract(model.values, [0] * 6 + [1] * 3, dtype=np.float32))


@by_every_way
def test_replicates_are_copied_with_their_masks_and_moments(network, samples, duplicate):
    model = minidl.replicate(network, range(3))
    optimizer = minidl.Adam(model, np.array([0.1, 0.01, 0.001]))
    train(model, optimizer, *samples)
    twin, twins_optimizer = duplicate((model, optimizer))
    np.testing.assert_array_equal(train(twin, twins_optimizer, *samples), train(model, optimizer, *samples))


@by_every_way
@pytest.mark.parametrize("loss", [minidl.MSELoss("mean"), minidl.BCELoss(), minidl.BCEWithLogitsLoss()], ids=repr)
def test_a_loss_is_copied_with_what_it_saved(duplicate, loss):
    loss(np.array([[0.2, 0.9]]), np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(duplicate(loss).backward(), loss.backward())


@by_every_way
def test_what_training_gives_back_can_be_copied(duplicate):
    history = minidl.History([1.0, 0.5], [0.1, 0.2])
    assert duplicate(history) == history
    error = duplicate(minidl.DivergenceError(3, 4, history))
    assert (error.epoch, error.batch, error.history) == (3, 4, history)
    assert "epoch 3, batch 4" in str(error)
    assert duplicate(minidl.get_backend()) is minidl.get_backend()


@pytest.mark.parametrize("layer", [minidl.Linear(2, 3), minidl.Tanh(), minidl.Sequential([])], ids=str)
def test_a_shallow_copy_is_refused(layer):
    with pytest.raises(TypeError, match=r"a shallow copy would share its parameters .*: use copy\.deepcopy"):
        copy.copy(layer)
