"""Estimators of scikit-learn and of minidl_sklearn: the same class names, parameters and calls."""

from importlib import import_module

import numpy as np
from sklearn.model_selection import GridSearchCV


def classifier(task, package):
    """Return the classifier of a package, which trains all epochs of the task."""
    kind = import_module(package).MLPClassifier
    settings = {"max_iter": task.epochs, "n_iter_no_change": task.epochs, "batch_size": task.batch, "random_state": 0}
    return kind(task.hidden, **settings)


def fit(task, package):
    """Train from the first weights; return the loss of each epoch."""
    estimator = classifier(task, package)

    def run():
        return np.array(estimator.fit(task.x, task.y).loss_curve_)

    return run


def several(task, package, count):
    """Train some networks with seeds of their own: at once in minidl_sklearn, one after another in scikit-learn."""
    estimator, at_once = classifier(task, package), package == "minidl_sklearn"
    if at_once:
        estimator.set_params(n_networks=count)

    def run():
        for seed in range(1 if at_once else count):
            estimator.set_params(random_state=seed).fit(task.x, task.y)
        return np.array([])  # of other networks: not compared

    return run


def predict(task, package):
    """Predict the class of the first sample, as an array of one row."""
    estimator, row = classifier(task, package).fit(task.x, task.y), task.x[:1]
    return lambda: estimator.predict(row)


GRID = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2], "learning_rate_init": [1e-3, 3e-3]}


def search(task, package):
    """Search the grid with three folds, which are 24 fits; return the scores."""
    estimator = classifier(task, package)

    def run():
        return GridSearchCV(estimator, GRID, cv=3, refit=False).fit(task.x, task.y).cv_results_["mean_test_score"]

    return run


def search_at_once(task):
    """Search the grid with the same folds, with the networks of all fits trained at once."""
    from minidl_sklearn import cross_val_networks  # noqa: PLC0415 - scikit-learn may be there without it

    estimator = classifier(task, "minidl_sklearn")

    def run():
        result = cross_val_networks(estimator, task.x, task.y, cv=3, param_grid=GRID)
        return result.cv_results_["mean_test_score"]

    return run
