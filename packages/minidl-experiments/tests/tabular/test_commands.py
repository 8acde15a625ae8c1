"""The commands on own data: files, output, and errors in one line."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.tabular import command
from minidl_experiments.tabular.model_file import load_model
from minidl_experiments.tabular.options import read_options
from minidl_experiments.tabular.reading import read_table

QUICK = ["--epochs", 3, "--networks", 2]
FILES = ["learning_curves.png", "model.safetensors", "model.toml", "report.html", "scores.json"]


def test_train_prints_and_writes(run, csv, tmp_path):
    result = run("train", csv, "--target", "kind", *QUICK)
    assert result.exit_code == 0, result.output
    assert "data: 60 rows, 3 columns of numbers, 1 of text\n" in result.stdout
    assert "task: classes (2 different texts in 'kind')\n" in result.stdout
    assert "plan: 2 networks on 48 rows, tested on the other 12" in result.stdout
    assert "dead units: " in result.stdout
    assert re.search(r"accuracy +\d+\.\d %", result.stdout)
    assert len(result.stderr.splitlines()) == 3  # a line per epoch, without a terminal
    folder = tmp_path / "things"
    assert sorted(path.name for path in folder.iterdir()) == sorted(["confusion_matrix.png", *FILES])
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert scores["interval"] == "95 % over resampled test rows (12 rows, bootstrap)"


def test_several_targets_and_cross_validation(run, csv, tmp_path):
    result = run("train", csv, "--target", "size", "--target", "price", "--cv", 3, *QUICK, "--out", "new/two")
    assert result.exit_code == 0, result.output
    assert "task: regression (2 targets, which must be numbers)" in result.stdout
    pictures = ["predicted_against_true_1.png", "predicted_against_true_2.png"]
    assert sorted(path.name for path in (tmp_path / "new/two").iterdir()) == sorted([*pictures, *FILES])
    found = run("predict", "new/two/model.safetensors", csv)
    assert found.stdout.splitlines()[0] == "size,price,size_std,price_std"


def test_predictions_are_those_of_the_model_in_memory(run, csv, monkeypatch):
    kept = []
    monkeypatch.setattr(command, "assess", lambda *args: kept.append(assess(*args)) or kept[0])
    result = run("train", csv, "--target", "kind", "--drop", "price", *QUICK)
    assert result.exit_code == 0, result.output
    (found,), table = kept, read_table([str(csv)])
    expected = found.model.predict(found.model.read(table), table.place)
    run("predict", "things/model.safetensors", csv, "--out", "p.csv")
    predicted = pd.read_csv("p.csv")
    assert predicted.columns.tolist() == ["class", "probability_large", "probability_small", "std_large", "std_small"]
    np.testing.assert_array_equal(predicted.iloc[:, 1:3], expected.values)
    np.testing.assert_array_equal(predicted.iloc[:, 3:], expected.std)
    # The test rows, as they were measured before the file was written.
    outcome = found.outcomes[0]
    np.testing.assert_array_equal(predicted.iloc[outcome.rows, 1:3], outcome.values)


assess = command.assess


def test_settings_repeat_a_training(run, csv):
    run("train", csv, "--target", "price", "--loss", "huber", "--cv", 3, *QUICK, "--out", "one")
    result = run("train", "--from", "one/model.toml", "--out", "two")
    assert result.exit_code == 0, result.output
    one, two = (load_model(f"{name}/model.safetensors") for name in ("one", "two"))
    np.testing.assert_array_equal(one.network.values, two.network.values)
    assert read_options(Path("two/model.toml"), {}) == read_options(Path("one/model.toml"), {"out": "two"})


def test_pictures_of_another_task_do_not_stay(run, csv, tmp_path):
    options = ["--out", "out", *QUICK]
    assert "removed" not in run("train", csv, "--target", "kind", *options).stdout
    (tmp_path / "out/predicted_against_true_mine.png").touch()
    result = run("train", csv, "--target", "price", *options)
    assert "removed out/confusion_matrix.png of an earlier training" in result.stdout.replace("\\", "/")
    pictures = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert pictures == ["learning_curves.png", "predicted_against_true.png", "predicted_against_true_mine.png"]


def test_standard_input_and_patterns(run, csv, model, tmp_path):
    text = csv.read_text(encoding="utf-8")
    whole = run("predict", model, csv).stdout
    assert run("predict", model, "-", input=text).stdout == whole
    head, *lines = text.splitlines(keepends=True)
    for number, part in enumerate((lines[:20], lines[20:])):
        (tmp_path / f"part{number}.csv").write_text("".join([head, *part]), encoding="utf-8")
    assert run("predict", model, "part*.csv").stdout == whole
    result = run("train", "-", "--target", "kind", *QUICK, input=text)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "model/report.html").is_file()


def test_the_report_is_one_page_that_loads_nothing(run, tmp_path):
    names = ["<b>size</b>", "a & b"]
    rows = "".join(f"{i * 37 % 11},{i % 7},{'x<y' if i % 3 else '$z_1$'}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"{','.join(names)},kind\n{rows}", encoding="utf-8")
    result = run("train", "t.csv", "--target", "kind", *QUICK)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "t/report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;size&lt;/b&gt;" in page
    assert "<b>size" not in page
    assert "x&lt;y" in page
    assert not re.search(r"(?:src|href|srcset)=\"(?!data:image/png;base64,)|url\(|https?:", page)
    assert page.count("data:image/png;base64,") == 4  # two pictures, for light and dark pages
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page


def test_names_in_any_letters(run, tmp_path):
    rows = "".join(f"{i * 37 % 11},{i % 7},{'大' if i % 3 else '小'}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"长度,=x,类\n{rows}", encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run("train", "t.csv", "--target", "类", *QUICK)
    assert result.exit_code == 0, result.output
    assert not [warning for warning in caught if "Glyph" in str(warning.message)]
    assert "大" in (tmp_path / "t/report.html").read_text(encoding="utf-8")
    header = run("predict", "t/model.safetensors", "t.csv").stdout.splitlines()[0]
    assert header == "class,probability_大,probability_小,std_大,std_小"


WRONG = {
    "no such file": (["none.csv", "--target", "y"], "No such file or directory"),
    "a folder": ([".", "--target", "y"], "Is a directory"),
    "no target": (["CSV"], "expected --target COLUMN, one of size, weight, colour, kind, price"),
    "a target nearly right": (["CSV", "--target", "Kinds"], "has no column 'Kinds'; did you mean 'kind'?"),
    "an option of the disk": (["CSV", "--target", "kind", "--samples", "3"], "--samples: an option of the disk"),
    "a loss of the disk": (["CSV", "--target", "kind", "--loss", "bce"], "--loss: expected one of cross-entropy, mse"),
    "data missing": (["--target", "kind"], "--target: expected data in front of it, such as data.csv"),
    "a loss of own data": (["--loss", "huber"], "--loss: expected one of mse, bce, bce-with-logits, cross-entropy for"),
    "no settings": (["--from", "none.toml"], "--from: cannot read none.toml"),
    "a file as folder": (
        ["CSV", "--target", "kind", "--out", "CSV"],
        "--out: expected the name of a folder, got the file",
    ),
    "a setting of SGD": (
        ["CSV", "--target", "kind", "--momentum", "0.9"],
        "Adam: eta, kappa and momentum are settings of",
    ),
    "too small a test": (
        ["CSV", "--target", "kind", "--test", "0.001"],
        "--test 0.001: expected 1 to 55 of the 60 rows",
    ),
    "an unknown task": (["CSV", "--target", "kind", "--task", "sort"], "'--task'"),
}


@pytest.mark.parametrize(("args", "message"), WRONG.values(), ids=WRONG)
def test_an_error_is_one_line_and_nothing_is_written(args, message, run, csv, tmp_path):
    result = run("train", *(csv if arg == "CSV" else arg for arg in args))
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert message in line
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["things.csv"]


def test_a_cell_that_cannot_be_read_is_named_by_its_line(csv, fails, tmp_path):
    with csv.open("a", encoding="utf-8") as file:
        file.write("\n12 kg,1000,red,large,30\n")
    fails("things.csv: line 63: column 'size': expected a number", "train", csv, "--target", "kind")
    assert [path.name for path in tmp_path.iterdir()] == ["things.csv"]


def test_a_folder_of_other_files_is_left_alone(run, csv, tmp_path):
    (tmp_path / "things").mkdir()
    (tmp_path / "things/report.html").write_text("mine", encoding="utf-8")
    result = run("train", csv, "--target", "kind", *QUICK)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the folder things has other files than those of minidl train: choose another by --out" in result.stderr
    assert (tmp_path / "things/report.html").read_text(encoding="utf-8") == "mine"
    (tmp_path / "things/model.toml").touch()
    assert run("train", csv, "--target", "kind", *QUICK).exit_code == 0


def test_a_file_that_cannot_be_written_ends_the_command_before_the_training(run, csv, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "assess", None)
    (tmp_path / "out/report.html").mkdir(parents=True)
    result = run("train", csv, "--target", "kind", "--out", "out")
    assert result.exit_code == 2
    assert "expected the name of a file, got the folder" in result.stderr.splitlines()[-1]
    result = run("train", csv, "--target", "kind", "--out", csv / "inside")
    assert result.exit_code == 2
    assert "--out: cannot write into the folder" in result.stderr.splitlines()[-1]


def test_a_training_that_diverges_leaves_no_folder(run, csv, tmp_path):
    result = run("train", csv, "--target", "price", "--optimizer", "sgd", "--lr", "1e30", *QUICK)
    assert result.exit_code == 2
    assert "try a smaller" in result.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["things.csv"]


def test_the_live_display_shows_loss_and_score(run, csv):
    lines = run("train", csv, "--target", "price", *QUICK).stderr.splitlines()
    form = r"2 networks on the training rows: epoch {} of at most 3, loss [\d.]+, validation [\d.]+, R² -?[\d.]+"
    assert all(re.fullmatch(form.format(i), line) for i, line in enumerate(lines, start=1))
    assert len(lines) == 3
    lines = run("train", csv, "--target", "kind", "--no-early-stopping", *QUICK).stderr.splitlines()
    assert re.fullmatch(r"2 networks .* epoch 3 of at most 3, loss [\d.]+", lines[-1])


def test_ctrl_c_writes_nothing(run, csv, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "assess", interrupted)
    result = run("train", csv, "--target", "kind")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "minidl: interrupted; nothing was written"
    assert [path.name for path in tmp_path.iterdir()] == ["things.csv"]
