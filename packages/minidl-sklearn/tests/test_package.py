"""The package as a whole: its examples run, it is documented, and its imports point one way."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import sklearn.neural_network

import minidl_sklearn

SOURCE = Path(minidl_sklearn.__file__).parent
MODULES = [module.name for module in pkgutil.iter_modules(minidl_sklearn.__path__)]
README = Path(__file__).parents[1] / "README.md"
ESTIMATORS = [minidl_sklearn.MLPClassifier, minidl_sklearn.MLPRegressor]
estimators = pytest.mark.parametrize("estimator", ESTIMATORS)


def imports_of(name):
    for node in ast.walk(ast.parse((SOURCE / f"{name}.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    assert doctest.testmod(importlib.import_module(f"minidl_sklearn.{name}")).failed == 0


@estimators
def test_every_estimator_has_an_example(estimator):
    assert sum(len(test.examples) for test in doctest.DocTestFinder().find(estimator)) > 2


def test_the_examples_of_the_readme_run():
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0


def test_the_readme_lists_every_public_name():
    assert [name for name in minidl_sklearn.__all__ if f"`{name}`" not in README.read_text("utf-8")] == []


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_of_core_and_scikit_learn(name):
    packages = {full.partition(".")[0] for full in imports_of(name)}
    assert packages & {"minidl", "minidl_data", "minidl_experiments", "minidl_native"} <= {"minidl"}
    private = [full for full in imports_of(name) if full.startswith("sklearn.") and "._" in full]
    assert not private or name == "sklearn_parts"


@estimators
def test_every_parameter_and_attribute_is_described(estimator):
    original = getattr(sklearn.neural_network, estimator.__name__)
    text = inspect.getdoc(estimator)
    parameters = [*inspect.signature(original).parameters, *inspect.signature(estimator).parameters]
    attributes = ["loss_curve_", "coefs_", "n_iter_", "t_", "validation_scores_", "validation_loss_curve_"]
    assert [name for name in parameters + attributes if not re.search(rf"\b{name}\b", text)] == []


@estimators
def test_the_parameters_are_scikit_learn_s(estimator):
    original = getattr(sklearn.neural_network, estimator.__name__)
    theirs, ours = original().get_params(), estimator().get_params()
    assert {**ours, **theirs} == ours
    beyond = {name for name in ours if name not in theirs and name != "loss"}  # which scikit-learn 1.6 has not
    signature = inspect.signature(estimator).parameters
    assert beyond
    assert {signature[name].kind for name in beyond} == {inspect.Parameter.KEYWORD_ONLY}


@estimators
def test_the_methods_are_scikit_learn_s(estimator):
    original = getattr(sklearn.neural_network, estimator.__name__)
    methods = [name for name in dir(original()) if not name.startswith("_") and callable(getattr(original(), name))]
    assert [name for name in methods if not callable(getattr(estimator(), name, None))] == []
    for name in ("fit", "partial_fit", "predict", "score"):
        theirs = inspect.signature(getattr(original, name)).parameters
        assert (
            list(inspect.signature(getattr(estimator, name)).parameters) == list(theirs)
            or "sample_weight" not in theirs
        )
