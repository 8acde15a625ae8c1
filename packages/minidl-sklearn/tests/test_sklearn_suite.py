"""scikit-learn's own tests of its multi-layer perceptrons, run on ours: its file with the classes exchanged."""

import importlib.util
import inspect
from unittest.mock import patch

import pytest
import sklearn.neural_network

import minidl_sklearn

# What cannot pass, with the private name that it reaches for.
PRIVATE = {"test_gradient": "_loss_grad_lbfgs"}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def exchanged():
    """Return scikit-learn's module of tests as it is with our classes in place of its own."""
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    module = importlib.util.module_from_spec(spec)
    ours = {name: getattr(minidl_sklearn, name) for name in ("MLPClassifier", "MLPRegressor")}
    with patch.multiple(sklearn.neural_network, **ours):
        spec.loader.exec_module(module)
    return module


SUITE = exchanged()
TESTS = {name: test for name, test in vars(SUITE).items() if name.startswith("test_")}
globals().update({name: test for name, test in TESTS.items() if name not in PRIVATE})


@pytest.fixture
def global_random_seed():
    return 42


def test_the_suite_runs_on_our_classes():
    assert SUITE.MLPClassifier is minidl_sklearn.MLPClassifier
    assert SUITE.MLPRegressor is minidl_sklearn.MLPRegressor
    assert len(TESTS) >= 35


@pytest.mark.parametrize(("name", "private"), PRIVATE.items())
def test_what_is_left_out_reaches_for_a_private_name(name, private):
    assert private in inspect.getsource(TESTS[name])
    assert not hasattr(minidl_sklearn.MLPClassifier, private)
