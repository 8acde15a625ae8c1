"""minidl_sklearn against scikit-learn: weights, curves, numbers of epochs and predictions of whole trainings."""

import numpy as np
import pytest
import sklearn.neural_network

import minidl_sklearn
from conformance.sklearn_cases import EPOCHS, FEWER, data, trainings
from conformance.ulp import assert_within, ulps

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered in exp"),  # of a rate, in a line search
]
TRAININGS = [pytest.param(*training, id=", ".join(map(str, training[:-1]))) for training in trainings()]
CURVES = "loss_curve_", "validation_scores_", "loss_", "best_loss_", "best_validation_score_"
EXACT = "n_iter_", "t_", "n_outputs_", "n_layers_", "out_activation_", "n_features_in_"


def trained(package, case, name, x, y, weight):
    parameters = {"hidden_layer_sizes": (16, 9), "max_iter": EPOCHS, "random_state": 3} | case.parameters
    if name == "MLPRegressor" and x.dtype == np.float32:
        parameters["max_iter"] = FEWER
    estimator = getattr(package, name)(**parameters)
    return estimator.fit(x, y, **({"sample_weight": weight} if case.weighted else {}))


@pytest.mark.parametrize(("case", "name", "data_set", "dtype", "tolerance"), TRAININGS)
def test_a_training_is_scikit_learn_s(case, name, data_set, dtype, tolerance, table):
    x, y, weight = data(data_set)
    x = x.astype(dtype)
    theirs = trained(sklearn.neural_network, case, name, x, y, weight)
    ours = trained(minidl_sklearn, case, name, x, y, weight)
    for attribute in EXACT:
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    rtol = 10 * tolerance * float(np.finfo(dtype).eps)
    for attribute in ("coefs_", "intercepts_"):
        for i, (a, b) in enumerate(zip(getattr(ours, attribute), getattr(theirs, attribute), strict=True)):
            table.record(f"{name}, {case}, on {data_set}", dtype, ulps(a, b, "array"), tolerance)
            assert_within(tolerance, f"{attribute}[{i}] is not scikit-learn's", a, b, "array")
    for attribute in CURVES:
        if getattr(theirs, attribute, None) is not None:
            np.testing.assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol, 1e-6 * rtol)
        else:
            assert getattr(ours, attribute, None) is None
    compare_predictions(ours, theirs, name, x, rtol)


def compare_predictions(ours, theirs, name, x, rtol):
    a, b = ours.predict(x), theirs.predict(x)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    if name == "MLPRegressor":
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())
        return
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    a, b = ours.predict_proba(x), theirs.predict_proba(x)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    np.testing.assert_allclose(a, b, atol=rtol)
