"""Files of the networks behind estimators."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}


@pytest.mark.parametrize("networks", [1, 3])
def test_a_file_has_the_network_of_to_minidl(networks, tmp_path):
    estimator = MLPClassifier(**SMALL, normalize="batch", n_networks=networks).fit(X, Y)
    estimator.export(tmp_path / "model.safetensors")
    model = minidl.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(minidl.predict(model, X), minidl.predict(estimator.to_minidl(), X))


@pytest.mark.parametrize(
    ("estimator", "y", "expected"),
    [
        (MLPClassifier(**SMALL), Y, lambda one: one.predict_proba(X)),
        (MLPClassifier(**SMALL), Y > 0, lambda one: one.predict_proba(X)[:, 1:]),
        (MLPRegressor(**SMALL), Y, lambda one: one.predict(X)[:, None]),
    ],
    ids=["three classes", "two classes", "numbers"],
)
def test_a_file_of_onnx_computes_the_predictions(estimator, y, expected, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    estimator.fit(X, y).export(path)
    (found,) = onnxruntime.InferenceSession(path).run(None, {"x": X})
    np.testing.assert_allclose(found, expected(estimator), rtol=1e-12, atol=1e-15)


def test_a_file_of_c_is_that_of_the_network(tmp_path):
    estimator = MLPClassifier(**SMALL).fit(X, Y)
    estimator.export(tmp_path / "one.c")
    minidl.to_c(estimator.to_minidl(), tmp_path / "other.c", output="softmax")
    assert (tmp_path / "one.c").read_bytes() == (tmp_path / "other.c").read_bytes()


def test_other_files_are_refused(tmp_path):
    counts = MLPRegressor(**SMALL, loss="poisson").fit(X, Y)
    with pytest.raises(ValueError, match=r"MLPRegressor: expected a file name that ends in .*, got .*model.pt"):
        counts.export(tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"MLPRegressor: expected a loss without logarithms of predictions for .c"):
        counts.export(tmp_path / "model.c")
    with pytest.raises(ValueError, match=r"to_c: .*expected a single network"):
        MLPClassifier(**SMALL, n_networks=2).fit(X, Y).export(tmp_path / "model.c")
    with pytest.raises(ValueError, match="not fitted"):
        MLPClassifier().export(tmp_path / "model.c")
    assert not list(tmp_path.iterdir())
