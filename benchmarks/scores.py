"""Scores of the estimators of minidl_sklearn and of scikit-learn on held-out data, over seeds, beside their time."""

import time
from importlib import import_module
from typing import NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler, scale

STUDENT = 2.262  # quantile 0.975 of Student's t with 9 degrees of freedom, for ten seeds
SEEDS = range(10)


class Scores(NamedTuple):
    """What the estimators of one package reached: a score per seed, and the seconds of all trainings."""

    values: list
    seconds: float

    def interval(self):
        """Return the mean and the half width of its 95 % interval."""
        return np.mean(self.values), STUDENT * np.std(self.values, ddof=1) / np.sqrt(len(self.values))


def friedman1():
    return datasets.make_friedman1(1000, noise=1.0, random_state=0)


def diabetes():
    x, y = datasets.load_diabetes(return_X_y=True)
    return x, scale(y)


def bundled(load):
    return lambda: load(return_X_y=True)


DATA = {
    "digits": ("MLPClassifier", bundled(datasets.load_digits)),
    "breast_cancer": ("MLPClassifier", bundled(datasets.load_breast_cancer)),
    "wine": ("MLPClassifier", bundled(datasets.load_wine)),
    "diabetes": ("MLPRegressor", diabetes),
    "friedman1": ("MLPRegressor", friedman1),
}
"""The estimator of each data set, and the function that loads it."""


def scores_on(name):
    """Return the scores of scikit-learn and of minidl_sklearn, accuracy or R², by package.

    Each seed holds out a quarter of the samples and begins with other weights; the estimators have their defaults.
    """
    kind, load = DATA[name]
    x, y = load()
    packages = {"minidl_sklearn": "minidl_sklearn", "scikit-learn": "sklearn.neural_network"}
    estimators = {package: getattr(import_module(module), kind) for package, module in packages.items()}
    values, seconds = {package: [] for package in packages}, dict.fromkeys(packages, 0.0)
    for seed in SEEDS:
        x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
        scaler = StandardScaler().fit(x_train)
        for package, estimator in estimators.items():
            start = time.perf_counter()
            fitted = estimator(random_state=seed).fit(scaler.transform(x_train), y_train)
            seconds[package] += time.perf_counter() - start
            values[package].append(fitted.score(scaler.transform(x_test), y_test))
    return {package: Scores(values[package], seconds[package]) for package in packages}
