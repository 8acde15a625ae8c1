"""The commands `minidl train --save` and `minidl predict`: a model goes from one to the other in a file."""

import numpy as np
import pytest
from typer.testing import CliRunner

import minidl
from minidl_experiments.cli import app

X = np.array([[0.25, -1.5], [3e-3, 2.0], [0.0, 1e6]], np.float32)
TINY = ["--epochs", "1", "--samples", "20"]


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def model(tmp_path):
    """Return a network and its file."""
    network = minidl.Sequential([minidl.Linear(2, 4, rng=0), minidl.Tanh(), minidl.Linear(4, 3, rng=1)])
    minidl.save(network, tmp_path / "model.safetensors")
    return network, tmp_path / "model.safetensors"


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("names", ["", "a,b\n", '"x, first",y\n', "\n"], ids=repr)
def test_the_outputs_are_those_of_predict_to_the_last_digit(model, names, tmp_path):
    network, file = model
    data = written(tmp_path / "data.csv", names + "".join(f"{a},{b}\n" for a, b in X))
    result = run("predict", file, data)
    assert result.exit_code == 0, result.output
    first, *lines = result.stdout.splitlines()
    assert first == "output_0,output_1,output_2"
    found = np.array([line.split(",") for line in lines], np.float32)
    np.testing.assert_array_equal(found, minidl.predict(network, X))


def test_the_outputs_go_to_a_file(model, tmp_path):
    data = written(tmp_path / "data.csv", "\ufeff1,2\r\n\r\n3,4\r\n")
    out = tmp_path / "new" / "outputs.csv"
    result = run("predict", model[1], data, "--out", out)
    assert (result.exit_code, result.stdout) == (0, f"wrote {out}\n")
    assert out.read_text(encoding="utf-8") == run("predict", model[1], data).stdout
    assert [path.name for path in out.parent.iterdir()] == ["outputs.csv"]


def test_a_trained_model_is_saved_and_predicts(tmp_path):
    file, data = tmp_path / "new" / "model.safetensors", written(tmp_path / "data.csv", "0.5,0.5\n")
    result = run("train", *TINY, "--save", file, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"wrote {file}"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert str(minidl.load(file)[0]) == "Linear(2 -> 25)"
    outputs = [float(cell) for cell in run("predict", file, data).stdout.splitlines()[1].split(",")]
    assert len(outputs) == 2
    assert all(0 < value < 1 for value in outputs)  # of sigmoids


WRONG = {
    "a word": ("1,2\n3,x\n", "data.csv: line 2: could not convert string to float: 'x'"),
    "an empty cell": ("1,2\n3,\n", "data.csv: line 2: could not convert"),
    "two rows of names": ("a,b\nc,d\n1,2\n", "data.csv: line 2: could not convert"),
    "rows of another length": ("1,2\n\n3,4,5\n", "data.csv: line 3: expected 2 columns, got 3"),
    "another width": ("1,2,3\n", "data.csv: expected 2 columns, the inputs of the model, got 3"),
    "names alone": ("a,b\n", "data.csv: expected rows of numbers, got none"),
    "nothing": ("", "data.csv: expected rows of numbers, got none"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_data_is_one_clear_line(model, text, message, tmp_path):
    fails(["predict", model[1], written(tmp_path / "data.csv", text), "--out", tmp_path / "out.csv"], message)
    assert not (tmp_path / "out.csv").exists()


def fails(args, message):
    result = run(*args)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("minidl: ")
    assert message in line
    assert result.stdout == ""


def test_other_files_are_one_clear_line(model, tmp_path):
    data = written(tmp_path / "data.csv", "1,2\n")
    fails(["predict", data, data], "data.csv: expected a safetensors file")
    fails(["predict", tmp_path / "none", data], "No such file or directory")
    fails(["predict", model[1], tmp_path / "none"], "No such file or directory")
    fails(["predict", model[1], tmp_path], "Is a directory")
    fails(["predict", model[1], data, "--out", tmp_path], "--out: expected the name of a file, got the folder")
    fails(["predict", model[1]], "Missing argument 'data'")
    fails(["train", *TINY, "--save", tmp_path], "--save: expected the name of a file, got the folder")
    fails(["train", *TINY, "--save", data / "x"], "--save: cannot write into the folder")
    (tmp_path / "latin.csv").write_bytes(b"\xe9,1\n")
    fails(["predict", model[1], tmp_path / "latin.csv"], "latin.csv: line 0: 'utf-8' codec")


def test_replicates_are_refused(tmp_path):
    minidl.save(minidl.replicate(lambda rng: minidl.Linear(2, 1, rng=rng), range(3)), tmp_path / "many")
    data = written(tmp_path / "data.csv", "1,2\n")
    fails(["predict", tmp_path / "many", data], "many: expected a single network, got replicates (3,)")
