"""The commands on a model of own data: predict, evaluate and export."""

import re

import pandas as pd

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


def test_predict_names_columns_that_are_not_there(model, fails):
    text = "size,colour,Weights\n1,red,2\n"
    fails(
        "got none named 'weight'; did you mean 'Weights'?; it has size, colour, Weights",
        "predict",
        model,
        "-",
        input=text,
    )
