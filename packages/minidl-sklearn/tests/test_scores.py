"""The scores of a validation set beside those of `sklearn.metrics`."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from minidl_sklearn.scores import accuracy, r2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("case", ["any", "constant", "constant and right", "right", "far", "not finite"])
def test_r2(case, outputs, weighted):
    rng = np.random.default_rng(0)
    y, f = rng.standard_normal((2, 20, outputs))
    weight = rng.uniform(0.1, 2, 20) if weighted else None
    if "constant" in case:
        y[:, 0] = 2
    if "right" in case:
        f[:, 0] = y[:, 0]
    f[3] *= {"far": 1e6, "not finite": np.inf}.get(case, 1)
    if case == "not finite":  # which r2_score refuses; scikit-learn's networks score nan
        assert np.isnan(r2(y, f, weight))
    else:
        score = r2(y, f, weight)
        assert type(score) is float
        assert score == pytest.approx(r2_score(y, f, sample_weight=weight), rel=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_accuracy(weighted):
    rng = np.random.default_rng(0)
    y, f = rng.integers(0, 3, (2, 40))
    weight = rng.uniform(0.1, 2, 40) if weighted else None
    assert accuracy(y == f, weight) == accuracy_score(y, f, sample_weight=weight)
