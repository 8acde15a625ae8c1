"""What the estimators reach on held-out data, beside the time that they take."""

import pytest

pytest.importorskip("minidl_sklearn")
scores = pytest.importorskip("benchmarks.scores")  # it needs scikit-learn


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "diabetes", "friedman1"])
def test_scores(records, name):
    found = records.scores[name] = scores.scores_on(name)
    ours, theirs = found["minidl_sklearn"].values, found["scikit-learn"].values
    records.facts[f"{name}: score over scikit-learn's"] = [a / b for a, b in zip(ours, theirs, strict=True)]
