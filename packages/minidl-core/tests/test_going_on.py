"""After Ctrl-C in the middle of an epoch, fit goes on with the next step, and ends with the same bits."""

import os
import pickle
import signal
import threading

import numpy as np
import pytest

import minidl

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends a signal")

X = np.random.default_rng(0).uniform(-1, 1, (23, 2)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:]).astype(np.float32)
VALIDATION = X[::-1].copy(), Y


def build(rng):
    return minidl.Sequential(
        [minidl.Linear(2, 8, rng=rng), minidl.Tanh(), minidl.Dropout(0.2, rng=rng), minidl.Linear(8, 1, rng=rng)]
    )


def single(_=None):
    return build(np.random.default_rng(0))


def several(_=None):
    return minidl.replicate(build, range(3))


def slices():
    return [(X[start : start + 5], Y[start : start + 5]) for start in range(0, 23, 5)]


ARRAYS = {"x": X, "y": Y, "batch_size": 5}
TRAININGS = {
    "a seed": (single, {**ARRAYS, "rng": 3}),
    "replicates with a seed each": (several, {**ARRAYS, "rng": [4, 5, 6]}),
    "a split": (single, {**ARRAYS, "rng": 3, "validation_split": 0.3}),
    "replicates with a split each": (several, {**ARRAYS, "rng": [4, 5, 6], "validation_split": 0.3}),
    "as they lie": (single, {**ARRAYS, "shuffle": False}),
    "a penalty": (single, {**ARRAYS, "rng": 3, "l2": 0.1}),
    "a stream": (single, {"batches": slices}),
    "validation": (several, {**ARRAYS, "rng": 3, "validation": VALIDATION, "metrics": ["r2"]}),
}
EPOCHS = 4


def train(model, optimizer, loss=None, **options):
    return minidl.fit(model, loss or minidl.MSELoss("mean"), optimizer, **{"epochs": EPOCHS, **options})


def press_ctrl_c(optimizer, at):
    """Send the signal of Ctrl-C in the middle of the step after `at` steps."""
    step = type(optimizer).step

    def interrupted():
        if optimizer.t == at:
            signal.raise_signal(signal.SIGINT)
        step(optimizer)

    optimizer.step = interrupted


def state_of(model, optimizer):
    states = [rng.bit_generator.state for module in model.modules() for rng in module.generators]
    vectors = [vector.tobytes() for vector in optimizer.state().vectors.values() if vector is not None]
    return [model.values.tobytes(), *vectors, optimizer.t, states]


@pytest.mark.parametrize("at", [0, 2, 4, 5, 11])
@pytest.mark.parametrize("make", [minidl.Adam, lambda m: minidl.SGD(m, kappa=0.6, eta=0.1)], ids=["adam", "sgd"])
@pytest.mark.parametrize("name", TRAININGS)
def test_numpy_ends_with_the_same_bits(name, make, at):
    build_model, options = TRAININGS[name]
    options = {**options, "engine": "numpy"}
    whole = build_model()
    expected = train(whole, own := make(whole), **options)
    model = build_model()
    optimizer = make(model)
    press_ctrl_c(optimizer, at)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, optimizer, **options)
    assert optimizer.t == at + 1, "the step is finished"
    del optimizer.step
    model, optimizer, history = pickle.loads(pickle.dumps((model, optimizer, caught.value.history)))
    again = train(model, optimizer, **{**options, "epochs": EPOCHS - len(history)}, history=history)
    assert again.interrupted is None
    np.testing.assert_equal(again.to_frame(), expected.to_frame())
    assert state_of(model, optimizer) == state_of(whole, own)


def test_a_generator_goes_on_too():
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    whole, model = single(), single()
    train(whole, minidl.Adam(whole), **ARRAYS, rng=rng, engine="numpy")
    optimizer = minidl.Adam(model)
    press_ctrl_c(optimizer, 7)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, optimizer, **ARRAYS, rng=other, engine="numpy")
    history = caught.value.history
    train(model, optimizer, **ARRAYS, rng=other, engine="numpy", epochs=EPOCHS - 1, history=history)
    assert rng.random() == other.random()
    np.testing.assert_array_equal(model.values, whole.values)


def test_the_order_of_a_function_is_kept_for_the_epoch_that_goes_on():
    whole, model = single(), single()
    orders, others = (iter([np.random.default_rng(i).permutation(23) for i in range(EPOCHS)]) for _ in range(2))
    train(whole, minidl.Adam(whole), **ARRAYS, shuffle=lambda: next(orders), engine="numpy")
    optimizer, options = minidl.Adam(model), {**ARRAYS, "shuffle": lambda: next(others), "engine": "numpy"}
    press_ctrl_c(optimizer, 7)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, optimizer, **options)
    train(model, optimizer, **options, epochs=EPOCHS - 1, history=caught.value.history)
    assert next(others, None) is None, "one order for each epoch"
    np.testing.assert_array_equal(model.values, whole.values)


@pytest.mark.parametrize("where", ["validation", "callback", "twice"])
def test_an_interruption_between_two_steps_and_one_after_another(where):
    calls = []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return 0.0

    options = {**ARRAYS, "rng": 3, "engine": "numpy"}
    whole, model = single(), single()
    expected = train(whole, minidl.Adam(whole), **options, validation=VALIDATION)
    optimizer, history = minidl.Adam(model), minidl.History()
    if where == "validation":
        options["metrics"] = [interrupt]
    if where == "callback":
        options["callbacks"] = [interrupt]
    for at in (6, 8) if where == "twice" else (None,):
        press_ctrl_c(optimizer, at)
        with pytest.raises(KeyboardInterrupt) as caught:
            train(model, optimizer, **options, validation=VALIDATION, history=history)
        history = caught.value.history
    history = train(
        *(model, optimizer), **{**options, "epochs": EPOCHS - len(history)}, validation=VALIDATION, history=history
    )
    np.testing.assert_equal(history.curve("loss"), expected.curve("loss"))
    np.testing.assert_equal(history.curve("val_loss"), expected.curve("val_loss"))
    np.testing.assert_array_equal(model.values, whole.values)


def test_a_replicate_that_stopped_stays_so_after_an_interruption():
    def stop(epoch, _history):
        return np.array([epoch == 1, False, False])

    models = several(), several()
    whole, optimizer = (minidl.Adam(model) for model in models)
    train(models[0], whole, **ARRAYS, rng=3, callbacks=[stop], engine="numpy")
    press_ctrl_c(optimizer, 7)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(models[1], optimizer, **ARRAYS, rng=3, callbacks=[stop], engine="numpy")
    history = caught.value.history
    train(models[1], optimizer, **ARRAYS, rng=3, callbacks=[stop], engine="numpy", epochs=3, history=history)
    np.testing.assert_array_equal(models[1].values, models[0].values)


def interrupted(batches, **options):
    """Return model and optimizer after some batches of the first epoch, and the history then."""
    model = several()
    optimizer = minidl.Adam(model)
    press_ctrl_c(optimizer, batches - 1)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, optimizer, **options)
    del optimizer.step
    return model, optimizer, caught.value.history


def take_over(replicate, ours, theirs):
    """Bring a replicate to where it is in another training."""
    (model, optimizer, history), (other, its, past) = ours, theirs
    for own, part in ((model.values, other.values), (optimizer.m, its.m), (optimizer.v, its.v)):
        own[replicate] = part[replicate]
    model[2].generators[replicate].bit_generator.state = other[2].generators[replicate].bit_generator.state
    position, reached = history.interrupted.position, past.interrupted.position
    position.done[replicate] = reached.done[replicate]
    position.sums = position.sums.replaced(np.arange(3) == replicate, reached.sums)


@pytest.mark.parametrize("batches", [[1, 3, 3], [5, 1, 2]], ids=str)
def test_replicates_that_are_not_equally_far_are_brought_together(batches):
    """As threads of the compiled engine leave them."""
    whole, options = several(), {**ARRAYS, "rng": [4, 5, 6], "engine": "numpy"}
    expected = train(whole, own := minidl.Adam(whole), **options)
    model, optimizer, history = ours = interrupted(1, **options)
    for replicate, each in enumerate(batches):
        take_over(replicate, ours, interrupted(each, **options))
    again = train(model, optimizer, **options, history=history)
    assert state_of(model, optimizer) == state_of(whole, own)
    np.testing.assert_array_equal(again.curve("loss"), expected.curve("loss"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"batch_size": 4},
            "23 samples in batches of 5, .* got 23 samples in batches of 4; with history.interrupted =",
        ),
        ({"x": X[:20], "y": Y[:20]}, "got 20 samples in batches of 5"),
        (
            {"x": None, "y": None, "batch_size": None, "batches": slices},
            "expected x and y, as in the training that was",
        ),
    ],
)
def test_other_samples_are_refused_unless_a_new_epoch_is_begun(changes, words, unchanged):
    model = single()
    optimizer = minidl.Adam(model)
    press_ctrl_c(optimizer, 7)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, optimizer, **ARRAYS, engine="numpy")
    del optimizer.step
    history = caught.value.history
    with unchanged(model, optimizer), pytest.raises(ValueError, match=f"^fit: .*{words}"):
        train(model, optimizer, **{**ARRAYS, **changes}, history=history)
    history.interrupted = None
    assert len(train(model, optimizer, **{**ARRAYS, **changes}, history=history)) == 5


def test_a_stream_is_not_continued_on_arrays():
    model = single()
    optimizer = minidl.Adam(model)
    press_ctrl_c(optimizer, 2)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, optimizer, batches=slices, engine="numpy")
    with pytest.raises(ValueError, match="fit: expected batches, as in the training that was interrupted, got 23"):
        train(model, optimizer, **ARRAYS, history=caught.value.history)


def test_a_second_ctrl_c_does_not_wait():
    model = single()
    optimizer = minidl.Adam(model)

    def step():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    optimizer.step = step
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(model, optimizer, **ARRAYS, engine="numpy")
    assert signal.getsignal(signal.SIGINT) is handler
    assert optimizer.t == 0


def test_handlers_of_ones_own_and_other_threads_are_left_alone():
    model, seen = single(), []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        optimizer = minidl.Adam(model)
        press_ctrl_c(optimizer, 3)
        train(model, optimizer, **ARRAYS, engine="numpy")
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [1]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        press_ctrl_c(optimizer, optimizer.t + 3)
        train(model, optimizer, **ARRAYS, engine="numpy")
    finally:
        signal.signal(signal.SIGINT, before)
    lengths = []
    thread = threading.Thread(target=lambda: lengths.append(len(train(model, minidl.Adam(model), **ARRAYS))))
    thread.start()
    thread.join()
    assert lengths == [EPOCHS]


def test_a_split_is_kept_when_a_training_goes_on():
    model = single()
    optimizer = minidl.Adam(model)
    history = train(model, optimizer, **ARRAYS, rng=0, validation_split=0.3)
    held = history.held_out.copy()
    assert held.tolist() == np.sort(np.random.default_rng(0).permutation(23)[:7]).tolist()
    train(model, optimizer, **ARRAYS, rng=1, validation_split=0.3, history=history)
    np.testing.assert_array_equal(history.held_out, held)
    with pytest.raises(ValueError, match="fit: expected the samples of the history, more than"):
        train(model, optimizer, x=X[:9], y=Y[:9], batch_size=5, validation_split=0.3, history=history)
