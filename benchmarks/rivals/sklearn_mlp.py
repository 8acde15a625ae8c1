"""scikit-learn's MLPClassifier: the same network, batches and Adam, but with the log loss, its only loss."""

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.tasks import LEARNING_RATE


def network(task):
    settings = {"batch_size": task.batch, "learning_rate_init": LEARNING_RATE, "alpha": 0, "shuffle": False}
    model = MLPClassifier(task.widths[1:-1], solver="adam", **settings)
    labels = task.y.astype(int)  # two labels, not two classes, give two sigmoid outputs
    model.partial_fit(task.x, labels, classes=range(task.widths[-1]))
    for coefs, intercepts, (weight, bias) in zip(model.coefs_, model.intercepts_, task.weights, strict=True):
        coefs[...], intercepts[...] = weight.T, bias
    adam = model._optimizer
    for moment in (*adam.ms, *adam.vs):
        moment[...] = 0
    adam.t = 0
    return model, labels


def train(task):
    """Train in the given orders, with one call of partial_fit per epoch."""
    model, labels = network(task)

    def run():
        losses = []
        for order in task.orders:
            model.partial_fit(task.x[order], labels[order])
            losses.append(model.loss_)
        return np.array(losses)

    return run


def forward(task):
    model, _ = network(task)
    return lambda: model.predict_proba(task.x)
