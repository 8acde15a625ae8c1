"""The same numbers in several processes, played by threads, as in one with the whole batch."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.training import engines

SPEC = importlib.util.spec_from_file_location("cases_by_name", Path(__file__).with_name("cases.py"))
CASES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(CASES)
TRAININGS = {**CASES.CASES, **(CASES.TENSORS if importlib.util.find_spec("torch") else {})}
TWO_AND_FOUR = [pytest.param(size, id=f"{size} processes") for size in (2, 4)]


@pytest.fixture(autouse=True)
def _numpy_alone(monkeypatch):
    monkeypatch.setattr(engines, "DEFAULT", "numpy")  # the steps of the native engine have other last bits


@pytest.mark.parametrize("size", TWO_AND_FOUR)
@pytest.mark.parametrize("name", TRAININGS)
def test_several_processes_give_the_numbers_of_one(name, size, in_processes):
    one = TRAININGS[name]
    expected = CASES.train(one, "numpy")
    results = in_processes(size, lambda group: CASES.train(one, group))
    errors = [result for result in results if isinstance(result, Exception)]
    assert not errors
    for found in results:
        for part, array in found.items():
            assert array.tobytes() == results[0][part].tobytes(), part
        differences = CASES.differences(found, expected)
        assert max(differences.values()) < CASES.TOLERANCES[one["make"]["dtype"]], differences


@pytest.mark.parametrize("name", TRAININGS)
def test_a_process_alone_gives_the_same_bits(name, in_processes):
    expected = CASES.train(TRAININGS[name], "numpy")
    (found,) = in_processes(1, lambda group: CASES.train(TRAININGS[name], group))
    assert found.keys() == expected.keys()
    for part, array in found.items():
        if part.startswith("curve"):  # the penalty of a mean is added to the sum of the batch, times its mass
            np.testing.assert_allclose(array, expected[part], rtol=1e-15)
        else:
            assert array.tobytes() == expected[part].tobytes(), part


def shared_steps(group, name, count=4):
    one = TRAININGS[name]
    model = CASES.model_of(one)
    optimizer = one["optimizer"](model, **one["rule"])
    x, y = CASES.data(one, model)
    options = {"l2": 0.1, "sample_weight": np.linspace(0, 1, CASES.COUNT) if one["weighted"] else None}
    values = [minidl.train_step(model, one["loss"], optimizer, x, y, engine=group, **options) for _ in range(count)]
    return {"losses": np.array(values), **model.state_dict()}


@pytest.mark.parametrize("name", ["sum", "weights in a mean", "replicates", "batch norm"])
def test_train_step_too(name, in_processes):
    expected = shared_steps("numpy", name)
    for size in (1, 3):
        for found in in_processes(size, lambda group: shared_steps(group, name)):
            assert max(CASES.differences(found, expected).values()) < 1e-13


def test_more_processes_than_samples(in_processes):
    def train(engine):
        model = minidl.Linear(1, 1, rng=0, dtype="float64")
        x = np.array([[1.0], [2.0]])
        history = minidl.fit(
            model,
            minidl.MSELoss("mean"),
            minidl.SGD(model, 0.1),
            x,
            3 * x,
            epochs=5,
            batch_size=1,
            rng=0,
            engine=engine,
        )
        return history.loss, model.values

    loss, values = train("numpy")
    for found in in_processes(5, train):
        np.testing.assert_allclose(found[0], loss, rtol=1e-13)
        np.testing.assert_allclose(found[1], values, rtol=1e-13)


def checkpointed(group, path, epochs, **options):
    one = CASES.CASES["both"]
    return CASES.train(one, group, epochs=epochs, resume=path, callbacks=[minidl.Checkpoint(path, **options)])


@pytest.mark.parametrize("batches", [None, 4])
def test_a_checkpoint_goes_on_with_another_number_of_processes(batches, in_processes, tmp_path):
    expected = CASES.train(CASES.CASES["both"], "numpy", epochs=6)
    path = tmp_path / "training.safetensors"

    def interrupted(group):
        class Stop(minidl.Callback):
            def __call__(self, epoch, history):  # noqa: ARG002 - fit passes both
                if epoch == 3:
                    raise OSError("no more")

        one = CASES.CASES["both"]
        callbacks = [minidl.Checkpoint(path, batches=batches), Stop()]
        CASES.train(one, group, epochs=6, resume=path, callbacks=callbacks)

    stopped = in_processes(4, interrupted)
    assert all(isinstance(error, OSError | RuntimeError) for error in stopped)
    for found in in_processes(2, lambda group: checkpointed(group, path, 6, batches=batches)):
        differences = CASES.differences(found, expected)
        assert max(differences.values()) < CASES.TOLERANCES["float64"], differences
