"""The commands on a model of own data: predict, evaluate and export."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import minidl

QUICK = ["--epochs", 3, "--networks", 2]


def test_notes_go_to_standard_error(run, model):
    result = run("predict", model, "-", input="colour,size,weight\npink,10,\n")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert "'pink' not seen in training" in result.stderr
    assert "column 'weight': 1 missing cell" in result.stderr


def test_a_model_that_refuses_missing_cells_goes_on_refusing_them(run, csv, fails):
    run("train", csv, "--target", "kind", "--missing", "refuse", *QUICK)
    text = "colour,size,weight,price\nred,10,1000,30\nred,,1000,30\n"
    fails(
        "standard input: line 3: column 'size': the cell is missing",
        "predict",
        "things/model.safetensors",
        "-",
        input=text,
    )


def test_evaluate(run, csv, model):
    result = run("evaluate", model, csv)
    assert result.exit_code == 0, result.output
    run("predict", model, csv, "--out", "p.csv")
    hits = pd.read_csv("p.csv")["class"] == pd.read_csv(csv)["kind"]
    assert f"{100 * hits.mean():.1f} %" in result.stdout
    assert "data: 60 rows" in result.stdout


def test_evaluate_needs_targets_that_the_model_knows(run, model, fails):
    head, row = "size,weight,colour,kind\n", "1,2,red,large\n"
    fails(
        "the model's target: standard input has no column 'kind'",
        "evaluate",
        model,
        "-",
        input="size,weight,colour\n1,2,red\n",
    )
    text = f"{head}{row}1,2,red,huge\n"
    fails(
        "line 3: column 'kind': expected one of the classes large, small, got 'huge'",
        "evaluate",
        model,
        "-",
        input=text,
    )
    text = f"{head}{row}1,2,red,\n"
    fails("line 3: no target in kind (1 such row): --drop-unlabelled", "evaluate", model, "-", input=text)
    result = run("evaluate", model, "-", "--drop-unlabelled", input=text)
    assert "note: 1 row without a target: left out" in result.stdout
    assert "data: 1 row\n" in result.stdout
    assert re.search(r"AUC +- +-  ", result.stdout)  # which needs rows of both classes
    fails(
        "expected rows with a target in kind, got none",
        "evaluate",
        model,
        "-",
        "--drop-unlabelled",
        input=f"{head}1,2,red,\n",
    )


def test_export_writes_beside_the_model(run, model, tmp_path, fails):
    result = run("export", model, "--c")
    assert result.exit_code == 0, result.output
    assert "x[4]  colour = red  (1 or 0)" in result.stdout
    assert "y[0]  probability of large" in result.stdout
    assert (tmp_path / "before/model.c").read_text(encoding="ascii").startswith("/* A model for tables")
    run("export", model, "--c", "--out", "new/x.c")
    assert (tmp_path / "new/x.c").read_bytes() == (tmp_path / "before/model.c").read_bytes()
    fails("expected --onnx, --c or --torch", "export", model)
    fails("and one of them beside --out", "export", model, "--c", "--onnx", "--out", "x")
    minidl.save(minidl.Linear(2, 2), "plain")
    fails("plain: expected a model of `minidl train data.csv`", "export", "plain", "--c")


def test_an_export_that_fails_says_what_the_others_have_written(run, model, tmp_path, monkeypatch):
    def fail(*_):
        raise ImportError("no module 'torch'")

    monkeypatch.setattr("minidl_experiments.tabular.export.export_torch", fail)
    result = run("export", model, "--c", "--torch")
    assert result.exit_code == 2
    assert result.stdout == f"wrote {Path('before/model.c')}\n"
    assert result.stderr == "minidl: no module 'torch'\n"
    assert (tmp_path / "before/model.c").is_file()


def test_columns_of_zeros_and_ones_may_be_words(run, tmp_path, fails):
    """Parquet has Booleans, which CSV writes as words; other columns of numbers refuse them."""
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"open": rng.random(60) < 0.3, "size": rng.normal(size=60)})
    frame["price"] = frame["size"] + 3 * frame["open"]
    frame.to_parquet("t.parquet")
    result = run("train", "t.parquet", "--target", "price", "--epochs", 2, "--networks", 1)
    assert result.exit_code == 0, result.output
    frame.to_csv("words.csv", index=False)
    frame.astype({"open": int}).to_csv("numbers.csv", index=False)
    for name in ("t.parquet", "words.csv", "numbers.csv"):
        run("predict", "t/model.safetensors", name, "--out", f"{name}.out")
    found = [(tmp_path / f"{name}.out").read_bytes() for name in ("t.parquet", "words.csv", "numbers.csv")]
    assert found[0] == found[1] == found[2]
    text = "open,size\nFALSE,1\n,2\nmaybe,3\n"
    fails("line 4: column 'open': expected a number, got 'maybe'", "predict", "t/model.safetensors", "-", input=text)
    text = "open,size\ntrue,True\n"
    fails("line 2: column 'size': expected a number, got 'True'", "predict", "t/model.safetensors", "-", input=text)


def test_predict_names_columns_that_are_not_there(model, fails):
    text = "size,colour,Weights\n1,red,2\n"
    fails(
        "got none named 'weight'; did you mean 'Weights'?; it has size, colour, Weights",
        "predict",
        model,
        "-",
        input=text,
    )
