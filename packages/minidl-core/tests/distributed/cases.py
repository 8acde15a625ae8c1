"""Trainings that must give the same numbers in one process and in several; as a script, one process of several."""

import sys

import numpy as np

import minidl
from minidl import distributed

COUNT, WIDTH = 53, 3  # batches of 10, the last of 3: with four processes one of them has no sample of it
CLASSES, COLUMN = minidl.CrossEntropyLoss, minidl.BCEWithLogitsLoss


def build(rng, layers=(), outputs=2, **options):
    rng = np.random.default_rng(rng)
    first = minidl.Linear(WIDTH, 6, rng=rng, bias=not layers, **options)  # before a batch norm a bias does nothing
    made = [layer(rng=rng, **options) for layer in layers]
    return minidl.Sequential([first, *made, minidl.Tanh(), minidl.Linear(6, outputs, std_b=0.1, rng=rng, **options)])


def norm(rng, **options):  # noqa: ARG001 - it draws nothing
    return minidl.BatchNorm1d(6, **options)


def dropout(rng, **options):  # noqa: ARG001 - it takes all arrays
    return minidl.Dropout(0.3, rng=rng)


def case(loss, *, optimizer=minidl.SGD, replicates=0, layers=(), weighted=False, **options):
    return {"loss": loss, "optimizer": optimizer, "replicates": replicates, "layers": layers, "weighted": weighted} | {
        "make": {"dtype": "float64"}, "rule": {"lr": 0.05}, "fit": {}, **options
    }  # fmt: skip


MSE, MEAN = minidl.MSELoss, minidl.MSELoss("mean")
CASES = {
    "sum": case(MSE("sum"), rule={"lr": 0.002}),
    "mean": case(MEAN),
    "batchmean": case(MSE("batchmean")),
    "classes": case(CLASSES("mean"), optimizer=minidl.Adam, rule={"lr": 0.01}),
    "a column": case(COLUMN("mean"), fit={"accuracy": True}),
    "a variance": case(minidl.GaussianNLLLoss("mean"), rule={"lr": 0.01}),
    "weights in a sum": case(minidl.HuberLoss("sum"), weighted=True, rule={"lr": 0.002}),
    "weights in a mean": case(CLASSES("mean"), weighted=True),
    "weights, batchmean, penalty": case(MSE("batchmean"), weighted=True, fit={"l2": 0.3}),
    "penalty": case(MEAN, fit={"l2": 0.3}),
    "penalty of a sum": case(MSE("sum"), fit={"l2": 0.3}, rule={"lr": 0.002}),
    "clipping": case(MEAN, rule={"lr": 0.05, "clip": 0.1, "weight_decay": 0.1, "momentum": 0.5}),
    "schedule": case(MEAN, optimizer=minidl.AdamW, rule={"lr": minidl.CosineSchedule(0.02, 15), "weight_decay": 0.1}),
    "frozen": case(MEAN, frozen=True),
    "dropout": case(MEAN, layers=[dropout]),
    "batch norm": case(MEAN, layers=[norm]),
    "both": case(CLASSES("mean"), layers=[norm, dropout], weighted=True, optimizer=minidl.RMSprop, rule={"lr": 0.01}),
    "replicates": case(MEAN, replicates=3, layers=[norm, dropout]),
    "replicates of their own": case(CLASSES("mean"), replicates=3, weighted=True, fit={"l2": 0.1, "rng": [5, 6, 7]}),
    "as they lie": case(MEAN, fit={"shuffle": False}, layers=[norm]),
    "some rows": case(MEAN, fit={"rows": np.arange(0, COUNT, 2)}),
    "stream": case(MEAN, stream=True),
    "validation": case(MEAN, fit={"validation_split": 0.3, "metrics": ["r2"]}),
    "float32": case(MEAN, make={"dtype": "float32"}, layers=[norm, dropout]),
    "float16": case(MEAN, make={"dtype": "float16"}, layers=[norm]),
}
TENSORS = {
    "tensors": case(CLASSES("mean"), make={"dtype": "float64", "backend": "torch"}, layers=[norm, dropout]),
    "tensors, replicates": case(
        MEAN, make={"dtype": "float32", "backend": "torch"}, replicates=3, weighted=True, fit={"l2": 0.1}
    ),
}
TOLERANCES = {"float64": 1e-14, "float32": 1e-6, "float16": 5e-3}  # of the largest number, after fifteen or more steps


def data(one, model):
    rng, loss = np.random.default_rng(0), one["loss"]
    x = rng.standard_normal((COUNT, WIDTH))
    y = np.tanh(x[:, :2] * x[:, 1:])
    y = y[:, :1] if isinstance(loss, minidl.GaussianNLLLoss) else y
    asarray = model.backend.asarray
    if isinstance(loss, CLASSES):
        return asarray(x, model.dtype), asarray((x[:, 0] > x[:, 1]).astype(np.int64))
    y = (y[:, :1] > 0).astype(float) if isinstance(loss, COLUMN) else y
    return asarray(x, model.dtype), asarray(y, model.dtype)


def model_of(one):
    outputs = 1 if isinstance(one["loss"], COLUMN) else 2

    def make(rng):
        return build(rng, one["layers"], outputs, **one["make"])

    model = minidl.replicate(make, range(1, one["replicates"] + 1)) if one["replicates"] else make(1)
    if one.get("frozen"):
        next(iter(model.modules())).layers[0].freeze()
    return model


def train(one, engine, **options):
    """Return everything that a training changes, as arrays by their names."""
    model = model_of(one)
    optimizer = one["optimizer"](model, **one["rule"])
    x, y = data(one, model)
    weight = np.random.default_rng(2).uniform(0, 1, COUNT)
    weight[::4] = 0
    given = {"x": x, "y": y, "batch_size": 10, "rng": 3, "sample_weight": weight if one["weighted"] else None}
    if one.get("stream"):
        given = {"batches": [(x[start : start + 10], y[start : start + 10]) for start in range(0, COUNT, 10)]}
    history = minidl.fit(
        model, one["loss"], optimizer, **{"epochs": 3, **given, **one["fit"], **options}, engine=engine
    )
    found = {name: model.backend.to_numpy(array) for name, array in model.state_dict().items()}
    vectors = optimizer.state().vectors.items()
    found |= {name: model.backend.to_numpy(vector) for name, vector in vectors if vector is not None}
    frame = history.to_frame()
    found |= {f"curve {name}": column for name, column in frame.items()}
    drawn = [rng.random() for module in model.modules() for rng in module.generators]
    return found | {"drawn": np.array(drawn), "t": np.array(optimizer.t)}


def differences(found, expected):
    """Return the largest difference in each array, relative to its largest number."""
    assert found.keys() == expected.keys()
    return {
        name: float(np.abs(found[name] - array).max(initial=0) / max(1, np.abs(array).max(initial=0)))
        for name, array in expected.items()
    }


def train_until_killed(path, group):
    """Train for long, with checkpoints, and say when a few epochs are done."""

    def say(epoch, history):  # noqa: ARG001 - as fit calls it
        if epoch == 3:
            print("training", flush=True)  # noqa: T201 - to the test

    train(CASES["both"], group, epochs=10**6, callbacks=[minidl.Checkpoint(path, batches=4), say])


def main(path, *names):
    """Train as one process of several, and write what comes out of it."""
    with distributed.group(timeout=30) as group:
        if names == ("until killed",):
            train_until_killed(path, group)
        every = {name: train({**CASES, **TENSORS}[name], group) for name in names}
    arrays = {f"{name}/{part}": array for name, found in every.items() for part, array in found.items()}
    np.savez(f"{path}.{group.rank}.npz", **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
