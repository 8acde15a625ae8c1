"""Train, predict, export: what a newcomer types, on four data sets of scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.tabular.model_file import load_model
from minidl_experiments.tabular.reading import read_table

datasets = pytest.importorskip("sklearn.datasets")

# The least that networks with working preprocessing reach on the folds. The columns of wine and breast_cancer differ by
# factors of a thousand, and without scaling fewer are right.
BOUNDS = {
    "iris": (datasets.load_iris, {}, "accuracy", 91),
    "wine": (datasets.load_wine, {}, "accuracy", 95),
    "breast_cancer": (datasets.load_breast_cancer, {}, "accuracy", 95),
    "diabetes": (datasets.load_diabetes, {"scaled": False}, "R²", 0.42),
}


@pytest.mark.parametrize(("load", "options", "name", "least"), BOUNDS.values(), ids=BOUNDS)
def test_three_commands(load, options, name, least, run, tmp_path):
    pytest.importorskip("onnx")
    frame = load(as_frame=True, **options).frame
    frame.to_csv("data.csv", index=False)

    result = run("train", "data.csv", "--target", "target", "--cv", 5, "--networks", 3)
    assert result.exit_code == 0, result.output
    scores = {score["name"]: score for score in json.loads(tmp_path.joinpath("data/scores.json").read_text())["scores"]}
    assert scores[name]["value"] >= least
    assert scores[name]["value"] > scores[name]["baseline"]
    assert scores[name]["low"] <= scores[name]["value"] <= scores[name]["high"]

    result = run("predict", "data/model.safetensors", "data.csv", "--out", "predictions.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    found = pd.read_csv("predictions.csv")
    if name == "accuracy":
        assert 100 * np.mean(found["class"] == frame["target"]) >= least
    else:
        assert 1 - np.mean((found["target"] - frame["target"]) ** 2) / frame["target"].var() >= least

    check_export(run, frame.drop(columns="target").to_numpy(np.float32))


def check_export(run, x):
    """Export the model, and compare the outputs of onnxruntime for columns in their own units with its predictions."""
    runtime = pytest.importorskip("onnxruntime")
    result = run("export", "data/model.safetensors", "--onnx")
    assert result.exit_code == 0, result.output
    assert "x[0]" in result.stdout
    session = runtime.InferenceSession("data/model.onnx")
    y, std = session.run(None, {"x": x})
    model, table = load_model("data/model.safetensors"), read_table(["data.csv"])
    predicted = model.predict(model.read(table), table.place)
    np.testing.assert_allclose(y, predicted.values, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(std, predicted.std, rtol=2e-3, atol=2e-4)
