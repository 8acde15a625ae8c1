"""What a group does beside the arithmetic: what it refuses, and what happens to the others."""

from types import SimpleNamespace

import numpy as np
import pytest

import minidl
from minidl.arrays.samples import Samples
from minidl.training.distributed.shards import checksum_words, shards
from minidl.training.engine import Part

X = np.random.default_rng(0).uniform(-1, 1, (23, 2)).astype(np.float32)
Y = X[:, :1] * X[:, 1:]


def small(rng=0, dtype="float32"):
    return minidl.Sequential([minidl.Linear(2, 4, rng=rng, dtype=dtype), minidl.Tanh(), minidl.Linear(4, 1, rng=1)])


def fit(group, model=None, **options):
    model = small() if model is None else model
    given = {"x": X, "y": Y, "epochs": 3, "batch_size": 5, "rng": 0, "engine": group, **options}
    return minidl.fit(model, minidl.MSELoss("mean"), minidl.SGD(model, 0.1), **given)


def test_each_sample_is_in_one_share():
    order = np.random.default_rng(0).permutation(23)
    part = Part(1, Samples("fit", X, Y, ()), order, 5)
    for size in (1, 2, 3, 7):
        each = [list(shards(part, rank, size)) for rank in range(size)]
        for batch, pieces in enumerate(zip(*each, strict=True)):
            assert np.array_equal(np.concatenate([piece.x for piece in pieces]), X[order[5 * batch : 5 * batch + 5]])
            counts = [piece.last - piece.first for piece in pieces]
            assert sum(counts) == pieces[0].count
            assert max(counts) - min(counts) <= 1
            assert sum(piece.part_of_mass for piece in pieces) == pytest.approx(1)
            assert len({piece.fingerprint for piece in pieces}) == 1
    assert len({shard.fingerprint for shard in shards(part, 0, 2)}) == part.batches


STREAM = dict.fromkeys(["x", "y", "batch_size", "rng"])
DIFFERENT = {
    "another model": (lambda rank: {"model": small() if rank else minidl.Linear(2, 1)}, "process 1 of 2: model: "),
    "another dtype": (lambda rank: {"x": X.astype("f8") if rank else X}, "process 1 of 2: x: expected float32"),
    "other samples": (lambda rank: {"rng": rank}, "expected the same samples in all processes, got others"),
    "inputs of its own": (
        lambda rank: {"x": X + rank},
        "expected the same samples in all processes, got others in epoch 1",
    ),
    "targets of its own": (lambda rank: {"y": Y + rank}, "expected the same samples in all processes"),
    "weights of its own": (
        lambda rank: {"sample_weight": np.ones(len(X)) + rank},
        "expected the same samples in all processes",
    ),
    "other batches": (lambda rank: {"batch_size": 5 + rank}, "expected the same samples"),
    "other parameters": (lambda rank: {"model": small(rng=rank)}, "expected the same parameters in all processes"),
    "validation samples of its own": (
        lambda rank: {"validation": (X[:5], Y[:5] + rank)},
        "process 1 of 2: validation: expected float32 (5, 2), float32 (5, 1) with the checksum ",
    ),
    "no validation samples": (
        lambda rank: {"validation": (X[:5], Y[:5]) if rank else None},
        "process 1 of 2: validation: expected none, as in process 0, got float32 (5, 2)",
    ),
    "a stream of its own": (
        lambda rank: {**STREAM, "batches": [(X[rank : rank + 5], Y[rank : rank + 5])]},
        "expected the same samples",
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_processes_that_do_not_train_alike(name, in_processes):
    options, message = DIFFERENT[name]
    models = [small(), small()]
    before = [model.values.copy() for model in models]
    results = in_processes(2, lambda group: fit(group, **{"model": models[group.rank], **options(group.rank)}))
    assert all(isinstance(result, ValueError | RuntimeError) for result in results)
    assert any(message in str(result) for result in results if isinstance(result, ValueError)), results
    assert all(np.array_equal(model.values, old) for model, old in zip(models, before, strict=True))


def test_parameters_that_part_ways_are_noticed(in_processes):
    model = [small(), small()]

    def touched(group):
        def touch(epoch, history):  # noqa: ARG001 - as fit calls it
            if epoch == 2 and group.rank == 1:
                model[1].values[..., 0] += 1

        return fit(group, model=model[group.rank], callbacks=[touch])

    errors = [error for error in in_processes(2, touched) if isinstance(error, ValueError)]
    assert errors
    assert "same parameters in all processes, got others in epoch 3, batch 1" in str(errors[0])


def test_an_error_in_one_process_ends_the_others(in_processes):
    def failing(group):
        def fail(epoch, history):  # noqa: ARG001 - as fit calls it
            if epoch == 2 and group.rank == 1:
                raise KeyError("mine")

        return fit(group, callbacks=[fail])

    first, second, third = in_processes(3, failing)
    assert isinstance(second, KeyError)
    for rank, lost in ((0, first), (2, third)):
        assert isinstance(lost, RuntimeError)
        assert f"process {rank} of 3 has lost another process in epoch 3, batch 1" in str(lost)


def test_one_that_diverges_ends_all(in_processes):
    bad = X.copy()
    bad[7, 0] = np.nan
    results = in_processes(3, lambda group: fit(group, x=bad, epochs=1))
    assert all(isinstance(error, minidl.DivergenceError) for error in results)
    assert len({str(error) for error in results}) == 1


def diverging(engine):
    model = minidl.replicate(lambda rng: minidl.Linear(2, 1, rng=rng, dtype="float64"), [0, 1, 2])
    x = np.stack([X, X, X]).astype(np.float64)
    x[1, 9] = np.nan
    optimizer = minidl.Adam(model, 0.1)
    history = minidl.fit(
        model, minidl.MSELoss("mean"), optimizer, x, Y.astype(np.float64), epochs=2, batch_size=5, rng=0, engine=engine
    )
    return history.diverged, model.values, optimizer.m, np.array(history.loss)


@pytest.mark.filterwarnings("ignore:fit. replicate 1 has diverged:RuntimeWarning")
def test_a_replicate_that_diverges_is_frozen(in_processes):
    expected = diverging("numpy")
    for found in in_processes(2, diverging):
        assert found[0] == expected[0] != {}
        for ours, theirs in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-14)


def stepped(engine, x=X):
    model = small()
    before = model.values.copy()
    value = minidl.train_step(model, minidl.MSELoss("mean"), minidl.SGD(model, 0.1), x, Y, engine=engine)
    return value, np.array_equal(model.values, before)


def test_a_step_with_a_loss_of_nan_is_not_made(in_processes):
    for value, unchanged in in_processes(2, lambda group: stepped(group, np.full_like(X, np.nan))):
        assert np.isnan(value)
        assert unchanged


def stepped_together(engine, x, l2):
    model = minidl.replicate(lambda rng: minidl.Linear(2, 1, rng=rng, dtype="float64"), [0, 1, 2])
    optimizer = minidl.Adam(model, 0.1)
    value = minidl.train_step(model, minidl.MSELoss("mean"), optimizer, x, Y.astype(np.float64), engine=engine, l2=l2)
    return value, model.values, optimizer.m


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("lost", [0, 1])
def test_a_step_of_replicates_is_that_of_one_process(in_processes, l2, lost):
    x = np.stack([X, X, X]).astype(np.float64)
    x[:lost, 9] = np.nan
    expected = stepped_together("numpy", x, l2)
    assert np.isnan(expected[0]).tolist() == [lost > 0, False, False]
    for found in in_processes(2, lambda group: stepped_together(group, x, l2)):
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def test_a_step_that_fails_changes_nothing(in_processes):
    def failing(group):
        model = minidl.Sequential([minidl.Linear(2, 3, rng=0), minidl.Dropout(0.5, rng=0)])
        classes = np.array([0, 5])  # the second process gets the one that is none
        state = model.layers[1].generators[0].bit_generator.state
        before = model.values.copy()
        with pytest.raises((ValueError, RuntimeError)) as caught:
            minidl.train_step(model, minidl.CrossEntropyLoss(), minidl.SGD(model, 0.1), X[:2], classes, engine=group)
        assert np.array_equal(model.values, before)
        assert model.layers[1].generators[0].bit_generator.state == state
        raise caught.value

    kept, wrong = in_processes(2, failing)
    assert "expected class indices from 0 to 2, got 5" in str(wrong)
    assert "has lost another process in step 1" in str(kept)


def test_a_layer_that_folds_samples_away_is_refused_by_dropout(in_processes):
    class Fold(minidl.Module):
        def forward(self, x):
            return self.save_for_backward(x.reshape(-1, 1), x.shape)

        def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - it costs nothing
            return dy.reshape(self.saved(dy)[0])

    def folding(group):
        model = minidl.Sequential([Fold(), minidl.Dropout(0.5, rng=0), minidl.Linear(1, 1, rng=0)])
        loss, rule = minidl.MSELoss(), minidl.SGD(model, 0.1)
        return minidl.train_step(model, loss, rule, X[:4], np.ones((8, 1), np.float32)[:4], engine=group)

    errors = in_processes(2, folding)
    assert any("expected the 2 samples of this process, got x of shape (4, 1)" in str(error) for error in errors)


def test_only_the_first_process_writes_checkpoints(in_processes, tmp_path):
    def writing(group):
        path = tmp_path / f"{group.rank}"
        fit(group, callbacks=[minidl.Checkpoint(path)])
        return path.exists()

    assert in_processes(3, writing) == [True, False, False]


def test_predictions_are_computed_by_each_process(in_processes):
    model, loss = small(), minidl.MSELoss()
    expected = minidl.evaluate(model, loss, X, Y)
    assert expected.loss > 0
    for found in in_processes(2, lambda group: minidl.evaluate(model, loss, X, Y, engine=group)):
        assert found == expected


def test_validation_samples_that_are_no_arrays_are_told_by_their_kind():
    class Frame:
        shape = (3, 2)

    assert checksum_words((Frame(), np.ones(3))) == "tuple"


def test_class_indices_of_torch_are_converted_once(monkeypatch):
    torch = pytest.importorskip("torch")
    samples = Samples("fit", torch.as_tensor(X), torch.zeros(23, dtype=torch.int32), ())
    lengths, indices = [], samples.y_library.indices

    def counted(y):
        lengths.append(len(y))
        return indices(y)

    monkeypatch.setattr(samples, "y_library", SimpleNamespace(**_methods(samples.y_library) | {"indices": counted}))
    part = Part(1, samples, np.random.default_rng(0).permutation(23), 5)
    assert all(shard.y.dtype == torch.int64 for shard in shards(part, 0, 2))
    assert lengths == [23]


def _methods(library):
    return {name: getattr(library, name) for name in dir(library) if not name.startswith("__")}
