"""A training that goes on from any of its checkpoints ends with the same bits as one that was not interrupted."""

import shutil
from importlib.util import find_spec

import numpy as np
import pytest

import minidl
from minidl.training.checkpoint import keeper

ENGINES = ["numpy", *(["native"] if find_spec("minidl_native") else [])]
LIBRARIES = ["numpy", *(["torch"] if find_spec("torch") else [])]
X = np.random.default_rng(0).uniform(-1, 1, (23, 2)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:]).astype(np.float32)
WEIGHTS = np.random.default_rng(1).uniform(0, 2, 23)
VALIDATION = X[::-1].copy(), Y
ARRAYS = {"x": X, "y": Y, "batch_size": 5}
EPOCHS = 3


def build(rng, backend="numpy"):
    layers = [minidl.Linear(2, 8, rng=rng, backend=backend), minidl.Tanh(), minidl.Dropout(0.2, rng=rng)]
    layers += [minidl.BatchNorm1d(8, backend=backend), minidl.Linear(8, 1, rng=rng, backend=backend)]
    return minidl.Sequential(layers)


def single(backend):
    return build(np.random.default_rng(0), backend)


def several(backend):
    return minidl.replicate(lambda rng: build(rng, backend), range(3))


def slices(library):
    return [(library(X[i : i + 5]), library(Y[i : i + 5])) for i in range(0, 23, 5)]


def weighted():
    return [(X[i : i + 5], Y[i : i + 5], WEIGHTS[i : i + 5]) for i in range(0, 23, 5)]


@pytest.fixture(autouse=True)
def _without_disk(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: None)  # no machine is switched off here


class Script:
    """A script: everything that it makes, and its call of fit."""

    def __init__(self, model, optimizer, backend="numpy", engine="numpy", **options):
        self.model = model(backend)
        self.optimizer = optimizer(self.model)
        self.rngs = options.pop("rngs", list)()
        self.callbacks = [make() for make in options.pop("callbacks", ())]
        library = self.model.backend.asarray
        if options.get("batches") is slices:
            options["batches"] = slices(library)
        elif "batches" in options:
            options["batches"] = options["batches"](*self.rngs)
        data = {name: library(options[name]) for name in ("x", "y") if name in options}
        if "rng" in options and not isinstance(options["rng"], int | list):
            options["rng"] = options["rng"](self.model)
        if "validation" in options:
            options["validation"] = tuple(map(library, options["validation"]))
        self.options = {"epochs": EPOCHS, "engine": engine, **options, **data}

    def run(self, path, *, every=1, batches=2, resume=None, loss=None, **changes):
        checkpoint = minidl.Checkpoint(path, every=every, batches=batches, rngs=self.rngs)
        self.history = minidl.fit(
            self.model, loss or minidl.MSELoss("mean"), self.optimizer, **{**self.options, **changes},
            callbacks=[*self.callbacks, checkpoint], resume=resume,
        )  # fmt: skip
        return self

    def end(self):
        """Return everything that two equal trainings have in common, down to the bits."""
        model, optimizer, history = self.model, self.optimizer, self.history
        to_numpy = model.backend.to_numpy
        vectors = [None if v is None else to_numpy(v).tobytes() for v in optimizer.state().vectors.values()]
        rngs = [rng for module in model.modules() for rng in module.generators] + self.rngs
        rngs += [rng for rng in [self.options.get("rng")] if isinstance(rng, np.random.Generator)]
        return {
            "model": {name: to_numpy(value).tobytes() for name, value in model.state_dict().items()},
            "settings": [str(record) for record in model.spec()],
            "optimizer": [vectors, optimizer.t, str(optimizer)],
            "generators": [rng.bit_generator.state for rng in rngs],
            "history": history.to_frame(),
            "lost": [history.diverged, history.stopped, history.held_out, history.interrupted],
            "callbacks": [vars(one).get("_patience") and one._patience.state() for one in self.callbacks],
            "mode": [module.training for module in model.modules()],
        }


def checkpoints_of(monkeypatch, folder, script, **options):
    """Run a script; return its end, and a copy of the file of each checkpoint."""
    kept, save = [], keeper.save

    def save_and_copy(path, state):
        save(path, state)
        kept.append(folder / str(len(kept)))
        shutil.copy(path, kept[-1])

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "save", save_and_copy)
        end = script.run(folder / "whole", **options).end()
    return end, kept


def check_all(monkeypatch, folder, make, **options):
    end, kept = checkpoints_of(monkeypatch, folder, make(), **options)
    for path in kept:
        np.testing.assert_equal(make().run(folder / "again", resume=path, **options).end(), end)
    return kept


OPTIMIZERS = {
    "SGD": lambda m: minidl.SGD(m, 0.05),
    "SGD decaying, momentum": lambda m: minidl.SGD(m, kappa=0.6, eta=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda m: minidl.Adam(m, 0.05, weight_decay=0.01, clip=1.0, decay_biases=False),
    "AdamW": lambda m: minidl.AdamW(m, minidl.CosineSchedule(0.1, 20, warmup=3)),
    "RMSprop": lambda m: minidl.RMSprop(m, momentum=0.5),
}
CALLBACKS = [
    lambda: minidl.EarlyStopping(monitor="val_loss", patience=2, min_delta=0.05),
    lambda: minidl.ReduceOnPlateau(patience=1, factor=0.5),
]
TRAININGS = {
    "a seed": {**ARRAYS, "rng": 3},
    "a split and early stopping": {**ARRAYS, "rng": 3, "validation_split": 0.22, "callbacks": CALLBACKS, "epochs": 9},
    "as they lie": {**ARRAYS, "shuffle": False},
    "a generator that all share": {**ARRAYS, "rng": lambda model: next(
        (module.generators[0] for module in model.modules() if module.generators), None
    )},
    "weights and a penalty": {**ARRAYS, "rng": 3, "sample_weight": WEIGHTS, "l2": 0.1},
    "weights, as they lie": {**ARRAYS, "shuffle": False, "sample_weight": WEIGHTS},
    "a stream": {"batches": slices},
    "a stream with weights": {"batches": weighted},
    "validation": {**ARRAYS, "rng": 3, "validation": VALIDATION, "metrics": ["r2"]},
    "rows": {**ARRAYS, "rng": 3, "rows": np.arange(23)[::2]},
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("replicates", [False, True])
@pytest.mark.parametrize("name", TRAININGS)
def test_every_checkpoint_leads_to_the_same_end(name, replicates, engine, monkeypatch, tmp_path):
    options = {**TRAININGS[name], "engine": engine}

    def make():
        return Script(
            several if replicates else single, OPTIMIZERS["Adam" if "early" not in name else "SGD"], **options
        )

    kept = check_all(monkeypatch, tmp_path, make)
    assert len(kept) > EPOCHS
    if "early" in name:
        assert make().run(tmp_path / "whole", resume=tmp_path / "whole").history.curve("loss").shape[0] < 9


@pytest.mark.parametrize("model", [single, several])
@pytest.mark.parametrize("backend", LIBRARIES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on(name, backend, model, monkeypatch, tmp_path):
    rng = [1, 2, 3] if model is several else 3
    check_all(monkeypatch, tmp_path, lambda: Script(model, OPTIMIZERS[name], backend, **ARRAYS, rng=rng))


@pytest.mark.skipif("torch" not in LIBRARIES, reason="needs torch")
@pytest.mark.parametrize("model", [single, several])
@pytest.mark.parametrize("name", ["a stream", "validation", "a split and early stopping"])
def test_tensors_go_on(name, model, monkeypatch, tmp_path):
    check_all(monkeypatch, tmp_path, lambda: Script(model, OPTIMIZERS["SGD"], "torch", **TRAININGS[name]))


def drawn(rng):
    """Return a function that draws the batches of an epoch as they are asked for."""

    def batches():
        order = rng.permutation(23)
        for start in range(0, 23, 5):
            rows = order[start : start + 5]
            yield X[rows] + rng.normal(0, 0.01, (len(rows), 2)).astype(np.float32), Y[rows]

    return batches


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stream_that_is_drawn_goes_on(engine, monkeypatch, tmp_path):
    def make():
        rngs = lambda: [np.random.default_rng(9)]  # noqa: E731 - one for each script
        return Script(single, OPTIMIZERS["Adam"], engine=engine, batches=drawn, rngs=rngs)

    check_all(monkeypatch, tmp_path, make)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "name",
    ["a seed", "a stream", "a stream with weights", "as they lie", "weights and a penalty", "weights, as they lie"],
)
def test_checkpoints_change_no_number(name, engine, tmp_path):
    for model in (single, several):
        plain, kept = (Script(model, OPTIMIZERS["Adam"], engine=engine, **TRAININGS[name]) for _ in range(2))
        plain.history = minidl.fit(plain.model, minidl.MSELoss("mean"), plain.optimizer, **plain.options)
        np.testing.assert_equal(kept.run(tmp_path / "file", batches=1).end(), plain.end())


def put_together(early, late, replicate):
    """Return a state in which one replicate is less far than the others, as threads leave them on Ctrl-C."""
    mixed = {name: late[name] for name in ("script", "model", "optimizer", "generators", "history", "position")}
    mixed |= {name: late[name] for name in ("callbacks", "ended", "batches")}
    pairs = [(mixed["model"]["parameters"][name], array) for name, array in early["model"]["parameters"].items()]
    pairs += [(mixed["optimizer"]["vectors"][name], array) for name, array in early["optimizer"]["vectors"].items()]
    for mine, its in [*pairs, (mixed["position"]["done"], early["position"]["done"])]:
        mine[replicate] = its[replicate]
    number = mixed["generators"]["places"][f"Dropout 0, replicate {replicate}"]
    mixed["generators"]["states"][number] = early["generators"]["states"][number]
    sums = zip(late["position"]["sums"], early["position"]["sums"], strict=True)
    mixed["position"]["sums"] = [np.where(np.arange(3) == replicate, its, mine) for mine, its in sums]
    return mixed


@pytest.mark.parametrize("engine", ENGINES)
def test_replicates_that_are_not_equally_far_are_brought_together(engine, monkeypatch, tmp_path):
    def make():
        return Script(several, OPTIMIZERS["Adam"], engine=engine, **ARRAYS, rng=[1, 2, 3])

    end, kept = checkpoints_of(monkeypatch, tmp_path, make(), batches=1)
    mixed = put_together(keeper.saved_in(kept[0]), keeper.saved_in(kept[2]), replicate=1)
    assert mixed["position"]["done"].tolist() == [3, 1, 3]
    keeper.save(tmp_path / "mixed", mixed)
    (tmp_path / "again").mkdir()
    again, others = checkpoints_of(monkeypatch, tmp_path / "again", make(), batches=1, resume=tmp_path / "mixed")
    np.testing.assert_equal(again, end)
    for path in others[:3]:
        np.testing.assert_equal(make().run(tmp_path / "last", resume=path).end(), end)
