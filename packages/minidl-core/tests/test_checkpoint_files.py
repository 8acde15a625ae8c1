"""What a checkpoint refuses, with nothing changed, and what is left when something fails."""

import os

import numpy as np
import pytest

import minidl
from minidl.files import safetensors
from minidl.training.checkpoint import keeper

X = np.random.default_rng(0).uniform(-1, 1, (23, 2)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:]).astype(np.float32)
PARTS = ("script", "model", "optimizer", "generators", "history", "position", "callbacks", "ended", "batches")


def network(rng=0, *, width=8, p_drop=0.2, activation=minidl.Tanh):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(2, width, rng=rng), activation(), minidl.Dropout(p_drop, rng=rng)]
    return minidl.Sequential([*layers, minidl.Linear(width, 1, rng=rng)])


def run(path, model=None, optimizer=None, *, resume="", epochs=4, callbacks=(), options=None, **changes):
    """Run a script, with some of it changed; return its parts."""
    model = model or network()
    optimizer = (optimizer or minidl.Adam)(model)
    call = {"x": X, "y": Y, "batch_size": 5, "rng": 3, "engine": "numpy", **changes}
    loss = call.pop("loss", None) or minidl.MSELoss("mean")
    checkpoint = minidl.Checkpoint(path, **(options or {}))
    history = minidl.fit(
        model, loss, optimizer, epochs=epochs, callbacks=[*callbacks, checkpoint],
        resume=path if resume == "" else resume,
        **call,
    )  # fmt: skip
    return model, optimizer, history


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "training.safetensors"
    run(path, epochs=2, callbacks=[minidl.EarlyStopping(monitor="loss")])
    return path


CHANGES = {
    "width": ({"model": lambda: network(width=9)}, r"script: layer 0: expected Linear .* 2 -> 8.*got Linear .* 2 -> 9"),
    "activation": ({"model": lambda: network(activation=minidl.ReLU)}, "layer 1: expected Tanh .*got ReLU"),
    "a setting": ({"model": lambda: network(p_drop=0.3)}, "layer 2: expected Dropout .*0.2.*got Dropout .*0.3"),
    "frozen": ({"model": lambda: (model := network(), model[0].freeze())[0]}, "layer 0: expected .*, got .*frozen"),
    "optimizer": ({"optimizer": minidl.AdamW}, "optimizer: expected Adam of minidl, as in the training .* got AdamW"),
    "rate": ({"optimizer": lambda m: minidl.Adam(m, 0.1)}, "optimizer.lr: expected 0.001, .* got 0.1"),
    "schedule": (
        {"optimizer": lambda m: minidl.Adam(m, minidl.PowerSchedule(0.1, 1))},
        "optimizer.lr: .*PowerSchedule",
    ),
    "loss": ({"loss": minidl.MSELoss()}, r"loss: expected MSELoss\(mean\) .* got MSELoss\(sum\)"),
    "batch_size": ({"batch_size": 4}, "batch_size: expected 5, .* got 4"),
    "samples": ({"x": X[:20], "y": Y[:20]}, r"x: expected float32 \(23, 2\), .* got float32 \(20, 2\)"),
    "other samples": ({"x": X + 1}, "first samples: expected"),
    "weights": ({"sample_weight": np.ones(23)}, "weights of samples: expected False, .* got True"),
    "l2": ({"l2": 0.5}, "l2: expected 0.0, .* got 0.5"),
    "shuffle": ({"shuffle": False}, "shuffle: expected True, .* got False"),
    "split": ({"validation_split": 0.2}, "validation_split: expected None, .* got 0.2"),
    "callbacks": ({"callbacks": []}, "callbacks: expected callbacks EarlyStopping, got none"),
    "fewer epochs": ({"epochs": 1}, "position: expected epochs of at least 2, which have begun, got 1"),
    "generators": ({"rng": np.random.Generator(np.random.MT19937(0))}, "generators: expected .*PCG64.*MT19937"),
    "a file of another kind": ({"resume": "other"}, "expected a minidl checkpoint of version 1, got a file of another"),
    "no such file's kind": ({"resume": "text"}, "expected a safetensors file"),
}


@pytest.mark.parametrize(("changes", "words"), CHANGES.values(), ids=CHANGES)
def test_another_training_is_refused(changes, words, path, tmp_path, unchanged):
    safetensors.write(tmp_path / "other", {"x": np.ones(2)}, {})
    (tmp_path / "text").write_text("not a checkpoint at all")
    changes = {"callbacks": [minidl.EarlyStopping(monitor="loss")], **changes}
    name = changes.pop("resume", path.name)
    model = changes.pop("model", network)()
    optimizer = changes.pop("optimizer", minidl.Adam)(model)
    with unchanged(model, optimizer), pytest.raises(ValueError, match=words) as caught:
        run(tmp_path / "new", model, lambda _: optimizer, resume=tmp_path / name, **changes)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert not (tmp_path / "new").exists()


def test_generators_are_shared_as_before(tmp_path):
    def shared(model):
        return model[2].generators[0]

    model, other = network(), network()
    run(tmp_path / "file", model, epochs=1, rng=shared(model))
    with pytest.raises(ValueError, match="generators: order 0: expected a generator shared as in the file, one that"):
        run(tmp_path / "file", other, rng=3)
    run(tmp_path / "file", other, rng=shared(other))


def state(**changes):
    return lambda parts: parts.update(changes)


def inside(*place, **changes):
    """Return a function that changes something within a state."""

    def spoil(found):
        for name in place:
            found = found[name]
        found.update(changes)

    return spoil


@pytest.mark.parametrize("kind", ["MT19937", "Philox", "SFC64", "PCG64DXSM"])
def test_every_kind_of_generator_goes_on(kind, tmp_path):
    def rng():
        return np.random.Generator(getattr(np.random, kind)(3))

    model, _, history = run(tmp_path / "whole", rng=rng())
    run(tmp_path / "file", epochs=2, rng=rng())
    other, _, again = run(tmp_path / "file", rng=rng())
    assert again.loss == history.loss
    np.testing.assert_array_equal(other.values, model.values)


@pytest.mark.parametrize(("kind", "place"), [("MT19937", ("state", "pos")), ("Philox", ("buffer_pos",))])
def test_a_state_of_a_generator_does_not_point_outside_of_it(kind, place, tmp_path):
    rng = np.random.Generator(getattr(np.random, kind)(3))
    run(tmp_path / "file", epochs=1, rng=rng)
    saved = keeper.saved_in(tmp_path / "file")
    parts = {name: saved[name] for name in PARTS}
    inside("generators", "states", 0, *place[:-1], **{place[-1]: 10_000})(parts)
    keeper.save(tmp_path / "spoilt", parts)
    with pytest.raises(ValueError, match=f"generators: expected {place[-1]} from 0 to"):
        run(tmp_path / "new", resume=tmp_path / "spoilt", rng=rng)


BEGUN = {"epoch": 2, "order": np.arange(23), "t": 5, "done": np.zeros((), int), "sums": [0.0, 0.0, 0.0, 0.0]}
HOSTILE = {
    "a vector": (inside("optimizer", "vectors", m=np.zeros(3)), "optimizer: Adam: expected m"),
    "a negative t": (inside("optimizer", t=-1), "optimizer: Adam: expected t to be at least 0"),
    "a setting": (inside("model", "settings", 3, p_drop=7.0), "model: Dropout: expected p_drop"),
    "no settings": (lambda parts: parts["model"].pop("settings"), "model: 'settings'"),
    "a parameter": (lambda parts: parts["model"]["parameters"].pop("0.bias"), "model: .*missing '0.bias'"),
    "a generator": (inside("generators", "states", 0, "state", inc="x"), "generators: "),
    "a schedule": (inside("optimizer", lr={"schedule": {"kind": "os"}}), "optimizer: expected a schedule"),
    "curves": (inside("history", "curves", accuracy=np.ones(7)), r"history: expected accuracy of shape \(2,\)"),
    "a replicate": (inside("history", diverged=[[4, 1, 1]]), "history: expected replicates from 0 to 0, got 4"),
    "samples": (inside("history", held_out=np.array([-1])), "history: expected held_out from 0"),
    "best state": (inside("callbacks", 0, 1, "kept", **{"": np.ones(2)}), "callbacks: expected arrays"),
    "best value": (
        inside("callbacks", 0, 1, best=np.ones(2)),
        "callbacks: EarlyStopping: expected best, .*one per net",
    ),
    "names of settings": (inside("model", "settings", 3, rate=7.0), "model: Dropout.*: expected settings .*'p_drop'"),
    "position": (state(position={"epoch": 3, "order": np.array([30])}), "position: "),
    "numbers": (state(position={**BEGUN, "order": np.ones(23)}), r"position: expected order to be integers, \(M,\)"),
    "steps done": (
        state(position={**BEGUN, "done": np.ones(2)}),
        r"expected done to count batches, shape \(\), got float",
    ),
    "sums": (
        state(position={**BEGUN, "sums": [np.ones(2), 0, 0, 0]}),
        r"position: expected sums of shape \(\), got \[\(2,",
    ),
    "a list": (state(script=[1]), "script: "),
    "batches": (state(batches="x"), "batches: "),
}


@pytest.mark.parametrize(("spoil", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_spoilt_file_changes_nothing(spoil, words, path, tmp_path, unchanged):
    saved = keeper.saved_in(path)
    parts = {name: saved[name] for name in PARTS}
    spoil(parts)
    keeper.save(tmp_path / "spoilt", parts)
    model = network()
    optimizer, rng = minidl.Adam(model), np.random.default_rng(3)
    callbacks = [minidl.EarlyStopping(monitor="loss")]
    with unchanged(model, optimizer, rng), pytest.raises(ValueError, match=words):
        run(tmp_path / "new", model, lambda _: optimizer, resume=tmp_path / "spoilt", rng=rng, callbacks=callbacks)


NO_STATES = {
    "": "expected JSON",
    "[]": r"expected an object, got \[\]",
    "null": "expected an object, got None",
    "{}": "expected an entry 'script'",
    '{"$array": "x"}': "expected the name of an array",
    "[" * 100_000: "expected JSON",
    '{"a": 1, "a": 2}': "expected JSON.*'a' stands there twice",
    '{"$float": "1"}': "expected nan",
}


@pytest.mark.parametrize(("text", "words"), NO_STATES.items(), ids=range(len(NO_STATES)))
def test_a_state_that_is_none_is_refused(text, words, tmp_path):
    meta = {"format": "minidl checkpoint", "version": "1", "state": text}
    safetensors.write(tmp_path / "file", {}, meta)
    with pytest.raises(ValueError, match=f"file: state: {words}"):
        run(tmp_path / "new", resume=tmp_path / "file")


def test_an_error_is_short_whatever_the_file_says(tmp_path):
    safetensors.write(tmp_path / "file", {}, {"format": "x" * 1_000_000, "version": "2"})
    with pytest.raises(
        ValueError, match=r"expected a minidl checkpoint of version 1, got 'xxx.* of version '2'"
    ) as caught:
        run(tmp_path / "new", resume=tmp_path / "file")
    assert len(str(caught.value)) < 1000


def test_arguments(tmp_path):
    with pytest.raises(ValueError, match="fit: expected history or resume, got both"):
        run(tmp_path / "file", history=minidl.History())
    with pytest.raises(TypeError, match="fit: expected resume to be the path of a file, got 3"):
        run(tmp_path / "file", resume=3)
    with pytest.raises(ValueError, match="Checkpoint: expected a path in a folder that exists"):
        run(tmp_path / "none" / "file")
    with pytest.raises(ValueError, match="fit: expected resume to be the path of a file, got the folder"):
        run(tmp_path / "file", resume=tmp_path)
    steps = []
    for path in (tmp_path, os.devnull):
        with pytest.raises(ValueError, match="Checkpoint: expected the path of a file, got the folder or device"):
            run(path, resume=None, callbacks=[lambda *_: steps.append(1)])
    assert steps == []
    for options in ({"every": 0}, {"batches": 0}):
        with pytest.raises(ValueError, match=r"Checkpoint: expected .* to be at least 1, got 0"):
            minidl.Checkpoint(tmp_path / "file", **options)
    with pytest.raises(TypeError, match=r"Checkpoint: expected rngs to be numpy.random.Generators, got 3"):
        minidl.Checkpoint(tmp_path / "file", rngs=[3])
    model = network()
    with pytest.raises(ValueError, match=r"expected rngs\[0\] to draw for the script alone, got that of Dropout 0"):
        run(tmp_path / "file", model, options={"rngs": model[2].generators})
    assert not [*tmp_path.iterdir()]


def test_each_of_two_checkpoints_is_written_where_it_is_due(tmp_path, monkeypatch):
    written = []

    def note(path, state):
        if state["position"] is not None:
            written.append((path.name, int(state["position"]["done"])))

    monkeypatch.setattr(keeper, "save", note)
    other = minidl.Checkpoint(tmp_path / "three", batches=3)
    run(tmp_path / "two", epochs=1, options={"batches": 2}, callbacks=[other], resume=None)
    assert sorted(written) == [("three", 3), ("two", 2), ("two", 4)]
