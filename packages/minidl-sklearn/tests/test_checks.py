"""scikit-learn's checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from minidl_sklearn import MLPClassifier, MLPRegressor

# Warnings are what some checks provoke. The numbers of epochs are those with which scikit-learn checks its own.
pytestmark = pytest.mark.filterwarnings("ignore")


CHECKS = parametrize_with_checks(
    [kind(max_iter=100, n_networks=count) for count in (1, 3) for kind in (MLPClassifier, MLPRegressor)]
)


@pytest.mark.parametrize(CHECKS.args[0], [*CHECKS.args[1]], **CHECKS.kwargs)  # scikit-learn 1.6 makes a generator
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)
