"""Models as files: what was saved comes back, bit for bit, whatever the layers, dtype, replicates and library are."""

import re
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.files import safetensors

FLOATS = ["float16", "float32", "float64"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture(params=["numpy", "torch"])
def backend(request):
    """Return the name of each library that is there."""
    if request.param == "torch":
        pytest.importorskip("torch")
    return request.param


def same(twin, model):
    """Assert that two networks are alike, down to the bits."""
    assert twin.record() == model.record()
    assert twin.replicate_shape == model.replicate_shape
    assert [type(module) for module in twin.modules()] == [type(module) for module in model.modules()]
    ours, theirs = (network.state_dict() for network in (twin, model))
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        array, other = twin.backend.to_numpy(array), model.backend.to_numpy(theirs[name])
        assert (array.dtype, array.shape, array.tobytes()) == (other.dtype, other.shape, other.tobytes())


def again(model, path, **options):
    minidl.save(model, path)
    return minidl.load(path, **options)


def moved(model, width=3):
    """Return a model after some forward passes in training, which move its statistics."""
    asarray, x = model.backend.asarray, np.random.default_rng(5).standard_normal((6, width))
    for _ in range(2):
        model.forward(asarray(x, model.dtype))
    return model


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_module_comes_back(every_module, dtype, path, rng):
    model = every_module(dtype, rng)
    twin = again(model, path)
    same(twin, model)
    x = rng.standard_normal((5, 3)).astype(dtype)
    assert minidl.predict(twin, x).tobytes() == minidl.predict(model, x).tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_module_comes_back_with_replicates(every_module, dtype, path, rng):
    model = minidl.replicate(lambda rng: every_module(dtype, rng), range(3))
    twin = again(model, path)
    same(twin, model)
    x = rng.standard_normal((3, 5, 3)).astype(dtype)
    assert minidl.predict(twin, x).tobytes() == minidl.predict(model, x).tobytes()
    for one, other in zip(minidl.unstack(twin), minidl.unstack(model), strict=True):
        same(one, other)


def everything(rng=0, dtype="float32", backend="numpy"):
    """Return a network of layers inside layers, with statistics, frozen parameters and rates of their own."""
    rng, more = np.random.default_rng(rng), {"dtype": dtype, "backend": backend}
    inner = [
        minidl.BatchNorm1d(4, momentum=0.3, eps=1e-3, **more),
        minidl.Dropout(rng.uniform(0.1, 0.5), rng=rng),
        minidl.Linear(4, 4, bias=False, lr=rng.uniform(), rng=rng, **more).freeze(),
        minidl.Sequential([]),
    ]
    heads = [minidl.Linear(4, 2, rng=rng, **more), minidl.Sequential([minidl.GELU("tanh"), minidl.Softplus(2)])]
    layers = [
        minidl.Linear(3, 4, std_b=1, rng=rng, **more),
        minidl.LeakyReLU(rng.uniform()),
        minidl.Residual(minidl.Sequential(inner)),
        minidl.LayerNorm(4, eps=1e-4, lr=rng.uniform(), **more).freeze(),
        minidl.Sequential([minidl.Sequential([minidl.ELU(0.5)])]),
        minidl.Concat(heads),
        minidl.Sequential([]),
    ]
    return moved(minidl.Sequential(layers))


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_network_of_everything_comes_back_in_each_library(dtype, backend, path):
    model = everything(0, dtype, backend)
    same(again(model, path), model)
    same(again(model, path, backend=backend), model)
    assert minidl.load(path, backend=backend).backend is model.backend


def test_replicates_of_everything_come_back(backend, path):
    model = moved(minidl.replicate(lambda rng: everything(rng, "float64", backend), range(4)))
    assert model[1].alpha.shape == (4,)
    twin = again(model, path, backend=backend)
    same(twin, model)
    assert twin.ranges() == model.ranges()
    assert twin[1].alpha.tolist() == model[1].alpha.tolist()


def test_the_file_has_the_names_of_the_state_dict(path):
    model = everything()
    minidl.save(model, path)
    arrays, metadata = safetensors.read(path)
    assert arrays.keys() == model.state_dict().keys()
    assert list(metadata) == ["minidl"]
    assert metadata["minidl"].startswith(f'{{"format": 1, "minidl": "{minidl.__version__}", "dtype": "float32"')


def test_texts_of_a_caller_are_in_the_file_and_load_leaves_them_alone(path):
    model, texts = minidl.Linear(2, 3, rng=0), {"scaling": '{"mean": [0.1]}', "ü": ""}
    minidl.save(model, path, metadata=texts)
    same(minidl.load(path), model)
    _, metadata = safetensors.read(path)
    assert {name: text for name, text in metadata.items() if name != "minidl"} == texts


@pytest.mark.parametrize(
    ("metadata", "error", "message"),
    [
        ({"minidl": "{}"}, ValueError, "save: expected other keys of metadata than 'minidl', which has the network"),
        ({"a": 1}, TypeError, "save: expected metadata to have texts as keys and values, got {'a': 1}"),
        ({1: "a"}, TypeError, "save: expected metadata to have texts as keys and values, got {1: 'a'}"),
        (["a"], TypeError, "save: expected metadata to be a mapping of texts, got ['a']"),
    ],
)
def test_other_metadata_are_refused_before_anything_is_written(metadata, error, message, path):
    with pytest.raises(error, match=re.escape(message)):
        minidl.save(minidl.Linear(2, 3), path, metadata=metadata)
    assert not path.exists()


def test_torch_takes_the_file(path):
    torch, library = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    layers = [minidl.Linear(3, 4, rng=0), minidl.BatchNorm1d(4), minidl.ReLU(), minidl.LayerNorm(4), minidl.Tanh()]
    inner = minidl.Sequential([minidl.Linear(4, 2, bias=False, rng=1), minidl.Sigmoid()])
    model = moved(minidl.Sequential([*layers, minidl.Dropout(0.5), inner]))
    minidl.save(model, path)
    nn = torch.nn
    twins = [nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.LayerNorm(4), nn.Tanh(), nn.Dropout(0.5)]
    twin = nn.Sequential(*twins, nn.Sequential(nn.Linear(4, 2, bias=False), nn.Sigmoid())).eval()
    assert not any(twin.load_state_dict(library.load_file(path), strict=True))
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    with torch.no_grad():
        theirs = twin(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(minidl.predict(model, x), theirs, rtol=1e-5)


def test_a_path_may_be_text_and_a_file_is_replaced(path):
    minidl.save(minidl.Linear(2, 3, rng=0), str(path))
    minidl.save(minidl.Linear(3, 1, rng=1), path)
    same(minidl.load(str(path)), minidl.Linear(3, 1, rng=1))
    assert [*path.parent.iterdir()] == [path]


def test_equal_models_make_equal_files(path):
    minidl.save(everything(), path)
    first = path.read_bytes()
    minidl.save(everything(), path)
    assert path.read_bytes() == first


def test_saving_changes_nothing(path, unchanged):
    model = everything()
    with unchanged(model):
        minidl.save(model, path)


def test_a_loaded_model_is_new(path):
    """It has no gradients, is in training mode, and owns its arrays."""
    model = everything().eval()
    model.grads[...] = 1
    twin = again(model, path)
    assert all(module.training for module in twin.modules())
    assert not twin.grads.any()
    assert twin.values.flags.writeable
    assert twin.forward(np.ones((4, 3), np.float32)).shape == (4, 6)


def test_dropout_draws_from_the_generator_that_is_handed_in(path):
    x = np.ones((2, 50), np.float32)
    twin = again(minidl.Dropout(0.5, rng=3), path, rng=7)
    np.testing.assert_array_equal(twin(x), minidl.Dropout(0.5, rng=7)(x))
    many = minidl.replicate(lambda rng: minidl.Dropout(0.5, rng=rng), range(3))
    twin = again(many, path, rng=range(3))
    np.testing.assert_array_equal(twin(x[None].repeat(3, 0)), many(x[None].repeat(3, 0)))
    drawn = minidl.load(path, rng=0)(x)
    assert drawn.shape == (3, 2, 50)
    assert len({row.tobytes() for row in drawn}) == 3
    with pytest.raises(ValueError, match=r"load: expected one rng, or one per replicate \(3,\), got 2"):
        minidl.load(path, rng=range(2))


def test_a_training_goes_on_as_if_the_model_had_not_been_saved(path, rng):
    x, y = rng.standard_normal((20, 3)).astype(np.float32), rng.standard_normal((20, 1)).astype(np.float32)
    layers = [minidl.Linear(3, 4, rng=0), minidl.Tanh(), minidl.Linear(4, 1, rng=1).freeze()]
    model = minidl.Sequential(layers)
    models = [model, again(model, path)]
    for model in models:
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, lr=0.01), x, y, epochs=2, batch_size=5, rng=0)
    same(*models)


def test_only_a_module_is_saved(path):
    with pytest.raises(TypeError, match="save: expected model to be a Module, got 3"):
        minidl.save(3, path)


def nested(depth):
    model = minidl.Tanh()
    for _ in range(depth - 1):
        model = minidl.Sequential([model])
    return model


def test_modules_may_be_nested_a_hundred_times(path):
    same(again(nested(100), path), nested(100))
    for depth in (101, 120):
        with pytest.raises(ValueError, match=r"save: .*100 modules inside each other"):
            minidl.save(nested(depth), path)


def test_ten_thousand_modules_are_the_most(path, monkeypatch):
    monkeypatch.setattr("minidl.files.model.MOST", 10)
    minidl.save(minidl.Sequential([minidl.Tanh() for _ in range(9)]), path)
    with pytest.raises(ValueError, match="save: expected at most 10 modules"):
        minidl.save(minidl.Sequential([minidl.Tanh() for _ in range(10)]), path)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ValueError, match="got a folder"):
        minidl.save(minidl.Tanh(), tmp_path)
    with pytest.raises(FileNotFoundError):
        minidl.load(Path("nowhere"))


@pytest.mark.parametrize(
    ("who", "call"),
    [
        ("save: expected path", lambda: minidl.save(minidl.Linear(1, 1), None)),
        ("load: expected path", lambda: minidl.load(3)),
        ("to_c: expected path", lambda: minidl.to_c(minidl.Linear(1, 1), None)),
        ("Checkpoint: expected path", lambda: minidl.Checkpoint(3)),
    ],
)
def test_what_is_no_path_is_named(who, call):
    with pytest.raises(TypeError, match=f"{who} to be the path of a file, got (None|3)"):
        call()
