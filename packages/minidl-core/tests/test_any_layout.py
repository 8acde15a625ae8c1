"""Any layout of samples in memory, in a file or not, and any type of labels gives what plain arrays give."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)
ENGINES = ["numpy", "auto"]


def laid_out(array, *, offset, step, order, backwards, is_read_only):
    """Return a view with equal elements: begun at a byte, in steps, in another order of the axes, from the end."""
    shape = (*array.shape[:-1], array.shape[-1] * step)
    memory = np.zeros(offset + int(np.prod(shape)) * array.itemsize, np.uint8)
    base = memory[offset:].view(array.dtype).reshape(shape, order=order)
    view = base[..., ::step]
    view = view[::-1] if backwards else view
    view[...] = array
    view.flags.writeable = not is_read_only
    return view


layouts = st.fixed_dictionaries(
    {
        "offset": st.integers(0, 9),
        "step": st.integers(1, 3),
        "order": st.sampled_from("CF"),
        "backwards": st.booleans(),
        "is_read_only": st.booleans(),
    }
)


def results(x, y, engine, replicates):
    def build(rng):
        rng = np.random.default_rng(rng)
        layers = [minidl.Linear(3, 4, rng=rng), minidl.Tanh(), minidl.Linear(4, 3, rng=rng)]
        return minidl.Sequential(layers)

    model = minidl.replicate(build, range(replicates)) if replicates else build(0)
    loss, optimizer = minidl.CrossEntropyLoss("mean"), minidl.Adam(model, 0.01)
    options = {"epochs": 2, "batch_size": 4, "rng": 0, "engine": engine}
    history = minidl.fit(model, loss, optimizer, x, y, validation=(x, y), **options)
    step = minidl.train_step(model, loss, optimizer, x, y, engine=engine)
    measured = minidl.evaluate(model, loss, x, y, engine=engine)
    return [*history.loss, *history.val_loss, step, *measured, model.values, minidl.predict(model, x, engine=engine)]


def check(x, y, other_x, other_y, engine, replicates=0):
    for ours, theirs in zip(
        results(x, y, engine, replicates), results(other_x, other_y, engine, replicates), strict=True
    ):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)


@quick
@given(
    layout=layouts, label_layout=layouts, n=st.integers(1, 11), replicates=st.sampled_from([0, 2]), own=st.booleans()
)
@pytest.mark.parametrize("engine", ENGINES)
def test_any_layout(engine, layout, label_layout, n, replicates, own):
    rng = np.random.default_rng(n)
    each = (replicates,) if replicates and own else ()
    x, y = rng.standard_normal((*each, n, 3)).astype(np.float32), rng.integers(0, 3, (*each, n))
    check(x, y, laid_out(x, **layout), laid_out(y, **label_layout), engine, replicates)


@quick
@given(offset=st.integers(0, 9), n=st.integers(1, 11), mode=st.sampled_from(["r", "c", "r+"]))
@pytest.mark.parametrize("engine", ENGINES)
def test_any_file(engine, offset, n, mode):
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, 3)).astype(np.float32), rng.integers(0, 3, n)
    with tempfile.TemporaryDirectory() as folder:
        mapped = []
        for name, array in (("x", x), ("y", y)):
            path = Path(folder, name)
            path.write_bytes(bytes(offset) + array.tobytes())
            mapped.append(np.memmap(path, array.dtype, mode, offset, array.shape))
        check(x, y, *mapped, engine)
        del mapped


@quick
@given(dtype=st.sampled_from([f"{order}{kind}{size}" for order in "<>" for kind in "iu" for size in (1, 2, 4, 8)]))
@pytest.mark.parametrize("engine", ENGINES)
def test_any_type_of_labels(engine, dtype):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((9, 3)).astype(np.float32), rng.integers(0, 3, 9)
    check(x, y, x, y.astype(dtype), engine)


@quick
@given(name=st.sampled_from(["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]))
def test_any_type_of_labels_of_torch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((9, 3)).astype(np.float32), rng.integers(0, 3, 9)
    model = minidl.Linear(3, 3, rng=0, backend="torch")
    twin, loss = minidl.Linear(3, 3, rng=0), minidl.CrossEntropyLoss()
    labels = torch.from_numpy(y).to(getattr(torch, name))
    options = {"epochs": 2, "batch_size": 4, "rng": 0}
    ours = minidl.fit(model, loss, minidl.SGD(model, 0.1), torch.from_numpy(x), labels, **options)
    theirs = minidl.fit(twin, loss, minidl.SGD(twin, 0.1), x, y, **options)
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-5)
    measured = minidl.evaluate(model, loss, torch.from_numpy(x), labels)
    assert measured.accuracy == minidl.evaluate(twin, loss, x, y).accuracy
