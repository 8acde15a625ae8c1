"""Files of models: the same bits again, and nothing that a made-up file could do."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl
from minidl.files.safetensors import read, write
from minidl_experiments.tabular.cells import Cells
from minidl_experiments.tabular.choices import KEY, Missing
from minidl_experiments.tabular.encoder import Encoder, NumberColumn, TextColumn
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.model_file import load_model, save_model
from minidl_experiments.tabular.reading import read_table
from minidl_experiments.tabular.target import ClassTarget, NumberTarget

ENCODER = Encoder(
    (NumberColumn("size", 1 / 3, 0.1, 2 / 7, flag=True), TextColumn("colour", ("blue", "rot ü"), flag=False)), ("k",)
)
CLASSES = ClassTarget("kind", ("no", "yes"))
NUMBERS = NumberTarget(("a", "b"), (1e3 / 3, -0.1), (0.7, 1e-9), (0.1, 0.5))


def network(inputs, outputs, networks):
    def build(rng):
        return minidl.Sequential(
            [
                minidl.Linear(inputs, 5, rng=rng),
                minidl.ReLU(),
                minidl.Dropout(0.5, rng=rng),
                minidl.Linear(5, outputs, rng=rng),
            ]
        )

    return build(np.random.default_rng(0)) if networks == 1 else minidl.replicate(build, range(networks))


@pytest.mark.parametrize("networks", [1, 3])
@pytest.mark.parametrize("target", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_a_loaded_model_predicts_the_same_bits(target, networks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = TableModel(network(4, target.outputs, networks), ENCODER, target, Missing.REFUSE)
    save_model(model, "model.safetensors")
    loaded = load_model("model.safetensors")
    assert (loaded.encoder, loaded.target, loaded.missing, loaded.networks) == (ENCODER, target, "refuse", networks)
    (tmp_path / "t.csv").write_text("colour,size\nrot ü,1\nblue,-2.5\npink,0.1\n", encoding="utf-8")
    table = read_table(["t.csv"])
    one, other = (each.predict(each.read(table), table.place) for each in (model, loaded))
    np.testing.assert_array_equal(one.values, other.values)
    assert (one.std is None) == (networks == 1)
    if networks > 1:
        np.testing.assert_array_equal(one.std, other.std)
        assert (one.std > 0).any()
    assert not model.frame(one).isna().any(axis=None)


def test_the_networks_alone_are_read_by_minidl_load(tmp_path):
    own = network(4, 2, 3)
    save_model(TableModel(own, ENCODER, CLASSES), tmp_path / "m")
    np.testing.assert_array_equal(minidl.load(tmp_path / "m").values, own.values)


def test_a_network_without_preprocessing_is_refused(tmp_path):
    minidl.save(network(4, 2, 1), tmp_path / "m")
    with pytest.raises(ValueError, match=r"m: expected a model of `minidl train data\.csv`, with the preprocessing"):
        load_model(tmp_path / "m")


def change(*keys, to):
    """Return a function that replaces an entry of the description."""

    def apply(data):
        place = data
        for key in keys[:-1]:
            place = place[key]
        if to is None:
            del place[keys[-1]]
        else:
            place[keys[-1]] = to
        return json.dumps(data)

    return apply


HOSTILE = {
    "no JSON": (lambda _: "{", "expected JSON"),
    "a list": (lambda _: "[]", "expected the description to have columns"),
    "a number": (lambda _: "3", "expected the description to have columns"),
    "nested too deeply": (lambda _: "[" * 100_000, "expected JSON"),
    "an entry twice": (lambda _: '{"format": 1, "format": 1}', "stands there twice"),
    "another format": (change("format", to=2), "expected format 1, got 2"),
    "a field too many": (change("more", to=1), "expected the description to have"),
    "a field too few": (change("target", to=None), "expected the description to have"),
    "another task": (change("task", to="clustering"), "task: expected one of classes, regression, got 'clustering'"),
    "a task that is a list": (change("task", to=["classes"]), "task: expected one of classes"),
    "another missing": (change("missing", to="guess"), "missing: expected one of impute, refuse"),
    "columns that are text": (change("columns", to="size"), "columns: expected a list"),
    "no columns": (change("columns", to=[]), "columns: expected different names"),
    "a column that is text": (change("columns", 0, to="size"), "expected a column of numbers to have"),
    "a name that is a number": (change("columns", 0, "name", to=3), "name: expected text, got 3"),
    "a name twice": (change("columns", 1, "name", to="size"), "columns: expected different names"),
    "a median that is text": (change("columns", 0, "median", to="0"), "median: expected a finite number, got '0'"),
    "a huge mean": (change("columns", 0, "mean", to=10**400), "mean: expected a finite number"),
    "a mean that is true": (change("columns", 0, "mean", to=True), "mean: expected a finite number"),
    "a std of zero": (change("columns", 0, "std", to=0), "std: expected a number above 0"),
    "a flag that is a number": (change("columns", 0, "flag", to=1), "flag: expected true or false, got 1"),
    "categories out of order": (change("columns", 1, "categories", to=["b", "a"]), "different texts in order"),
    "a category twice": (change("columns", 1, "categories", to=["a", "a"]), "different texts in order"),
    "no categories": (change("columns", 1, "categories", to=[]), "different texts in order"),
    "another width": (change("columns", 1, "categories", to=["a"]), "expected networks with 3 inputs and 2 outputs"),
    "a class too many": (change("target", "classes", to=["a", "b", "c"]), "networks with 4 inputs and 3 outputs"),
    "one class": (change("target", "classes", to=["a"]), "expected at least two different ones"),
    "a class twice": (change("target", "classes", to=["a", "a"]), "expected at least two different ones"),
    "a target of numbers": (change("task", to="regression"), "expected the target to have means"),
}  # fmt: skip


@pytest.mark.parametrize(("hostile", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_made_up_description_is_a_value_error(hostile, message, tmp_path):
    path = tmp_path / "m"
    save_model(TableModel(network(4, 2, 1), ENCODER, CLASSES), path)
    arrays, metadata = read(path)
    metadata[KEY] = hostile(json.loads(metadata[KEY]))
    write(path, arrays, metadata)
    with pytest.raises(ValueError, match=f"m: {KEY}: ") as error:
        load_model(path)
    assert message in str(error.value)
    assert len(str(error.value)) < 2000


NUMBERS_WRONG = {
    "a mean too few": (("target", "means"), [1.0], "expected different ones with a mean and a std each"),
    "a negative std": (("target", "stds"), [1.0, -1.0], "expected stds above 0 and quantiles between 0 and 1"),
    "a quantile of one": (("target", "quantiles"), [0.5, 1.0], "expected stds above 0 and quantiles between 0 and 1"),
    "a name twice": (("target", "names"), ["a", "a"], "expected different ones with a mean and a std each"),
    "an array of two axes": (("target", "means"), [[1.0], 2.0], "means: expected a finite number"),
}


@pytest.mark.parametrize(("keys", "value", "message"), NUMBERS_WRONG.values(), ids=NUMBERS_WRONG)
def test_made_up_targets_are_a_value_error(keys, value, message, tmp_path):
    path = tmp_path / "m"
    save_model(TableModel(network(4, 4, 1), ENCODER, NUMBERS), path)
    arrays, metadata = read(path)
    metadata[KEY] = change(*keys, to=value)(json.loads(metadata[KEY]))
    write(path, arrays, metadata)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_a_network_of_another_dtype_or_axes_is_refused(tmp_path):
    wide = minidl.Linear(4, 2, dtype=np.float64)
    save_model(TableModel(wide, ENCODER, CLASSES), tmp_path / "m")
    with pytest.raises(ValueError, match="expected networks in float32, got float64"):
        load_model(tmp_path / "m")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places(data, path=()):
    """Return the path of every entry of a description."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(inner for key, value in items for inner in places(value, (*path, key)))]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with a model of two outputs and one of four, called so."""
    folder = tmp_path_factory.mktemp("files")
    for outputs, target in ((2, CLASSES), (4, NUMBERS)):
        save_model(TableModel(network(4, outputs, 1), ENCODER, target), folder / f"{outputs}")
    return folder


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_any_change_of_a_description_ends_in_a_model_or_a_value_error(files, data):
    outputs = data.draw(st.sampled_from([2, 4]))
    path, (arrays, metadata) = files / "changed", read(files / f"{outputs}")
    description = json.loads(metadata[KEY])
    keys = data.draw(st.sampled_from(places(description)[1:]))
    metadata[KEY] = change(*keys, to=data.draw(JSON))(description)
    write(path, arrays, metadata)
    try:
        loaded = load_model(path)
        cells = {column.name: Cells(np.array([0.0]), np.array([True])) for column in loaded.encoder.columns}
        predicted = loaded.predict(cells, str)
    except ValueError:
        return
    assert predicted.values.shape == (1, outputs)
