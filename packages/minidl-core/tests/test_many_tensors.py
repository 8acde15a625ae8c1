"""Many networks as torch tensors: NumPy's numbers, and one transfer to the host a step, for which a GPU would wait."""

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import minidl

torch = pytest.importorskip("torch")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402 - without torch there is nothing to import

REPLICATES, COUNT = 5, 40
BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "many_on_one_gpu.py"
X = np.random.default_rng(0).uniform(-1, 1, (COUNT, 2)).astype(np.float32)
CLASSES = (X[:, 0] > X[:, 1]).astype(np.int64)
ONE_HOT = np.eye(2, dtype=np.float32)[CLASSES]
RATES = np.linspace(0.001, 0.02, REPLICATES)
WEIGHT = np.random.default_rng(1).uniform(0, 1, COUNT)


def case(loss, y, rule=minidl.Adam, layer=None, transfers=None, **options):
    setting = {name: options.pop(name) for name in ("lr", "eta", "kappa", "momentum", "clip") if name in options}
    return loss, y, rule, setting, layer, {"read": 1, "made": 0, **(transfers or {})}, options


# What crosses between host and device in a step: the losses of all replicates are read, and nothing else if possible.
CASES = {
    "the report's": case(minidl.MSELoss(), ONE_HOT, minidl.SGD, lr=None, eta=0.035, kappa=0.6),
    "Adam": case(minidl.MSELoss(), ONE_HOT, lr=0.01),
    "classes": case(minidl.CrossEntropyLoss("mean"), CLASSES, lr=0.01),
    "rates of their own": case(minidl.CrossEntropyLoss("mean"), CLASSES, lr=RATES, transfers={"made": 1}),
    "momentum": case(minidl.BCEWithLogitsLoss("mean"), ONE_HOT, minidl.SGD, lr=0.1, momentum=0.9),
    "batch norm": case(minidl.MSELoss(), ONE_HOT, lr=0.01, layer=minidl.BatchNorm1d),
    "a schedule": case(minidl.MSELoss(), ONE_HOT, lr=minidl.CosineSchedule(0.01, 100)),
    "weights": case(
        minidl.CrossEntropyLoss("mean"), CLASSES, lr=0.01, sample_weight=WEIGHT, transfers={"read": 2, "made": 2}
    ),
    "own orders": case(minidl.MSELoss(), ONE_HOT, lr=0.01, rng=list(range(REPLICATES))),
}


def train(name, backend, epochs, **more):
    loss, y, rule, setting, layer, _, options = CASES[name]

    def build(rng):
        middle = [] if layer is None else [layer(6, backend=backend)]
        first = minidl.Linear(2, 6, bias=layer is None, rng=rng, backend=backend)
        return minidl.Sequential([first, *middle, minidl.ReLU(), minidl.Linear(6, 2, rng=rng, backend=backend)])

    model = minidl.replicate(build, range(REPLICATES))
    x, y = (model.backend.asarray(array) for array in (X, y))
    options = {"epochs": epochs, "batch_size": 10, "rng": 3, "engine": "numpy", **options, **more}
    return model, minidl.fit(model, loss, rule(model, **setting), x, y, **options)


@pytest.mark.parametrize("name", CASES)
def test_tensors_give_the_numbers_of_numpy(name):
    theirs, history = train(name, "torch", 3)
    ours, expected = train(name, "numpy", 3)
    np.testing.assert_allclose(history.curve("loss"), expected.curve("loss"), rtol=1e-5)
    np.testing.assert_array_equal(history.curve("accuracy"), expected.curve("accuracy"))
    np.testing.assert_allclose(theirs.values.numpy(), ours.values, atol=2e-5)


def test_replicates_that_stop_or_diverge_keep_their_state():
    def leave(epoch, history):  # noqa: ARG001 - as fit calls it
        return np.arange(REPLICATES) == epoch

    more = {"callbacks": [leave]}
    for name in ("Adam", "batch norm"):
        theirs, history = train(name, "torch", 5, **more)
        ours, expected = train(name, "numpy", 5, **more)
        assert history.stopped == expected.stopped == {1: 1, 2: 2, 3: 3, 4: 4}
        for key, array in ours.state_dict().items():
            np.testing.assert_allclose(theirs.state_dict()[key].numpy(), array, atol=2e-5, err_msg=key)


class Transfers(TorchDispatchMode):
    """Counts what a GPU would wait for: tensors that are made of NumPy's arrays, and numbers that the host reads."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.counts = Counter()
        watched = (torch, "tensor", "made"), (torch, "from_numpy", "made"), (torch.Tensor, "cpu", "read")
        for owner, name, what in watched:
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name), what))

    def _counted(self, function, what):
        def call(*args, **options):
            self.counts[what] += 1
            return function(*args, **options)

        return call

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if str(function) in ("aten._local_scalar_dense.default", "aten.nonzero.default", "aten.masked_select.default"):
            self.counts["read"] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", CASES)
def test_a_step_waits_once(name, monkeypatch):
    transfers, found = Transfers(monkeypatch), []
    for epochs in (1, 3):
        transfers.counts.clear()
        with transfers:
            train(name, "torch", epochs)
        found.append(Counter(transfers.counts))
    steps, expected = 2 * COUNT // 10, CASES[name][5]
    once_an_epoch = {"read": 1, "made": 2}  # the hits of the accuracy, and the order for x and for y
    for what, count in expected.items():
        assert found[1][what] - found[0][what] <= count * steps + 2 * once_an_epoch[what], what


def test_the_benchmark_runs_on_the_cpu(capsys):
    spec = importlib.util.spec_from_file_location("many_on_one_gpu", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for more in ([], ["--optimizer", "sgd", "--order", "shared"]):
        module.main(["--replicates", "3", "6", "--epochs", "1", "--compared", "2", *more])
        rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
        assert [row[0] for row in rows] == ["3", "6"]
        assert all(float(row[-1]) < module.TOLERANCE for row in rows)


def test_the_benchmark_notices_other_numbers(monkeypatch):
    spec = importlib.util.spec_from_file_location("many_on_one_gpu", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.Race, "timed", lambda race, _: (np.full((2, 4), len(race.model.backend.name)), 1.0))
    with pytest.raises(SystemExit, match="differ from NumPy's by"):
        module.main(["--replicates", "4"])
