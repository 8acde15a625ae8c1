"""torch in its usual eager style, with the fused Adam."""

from itertools import pairwise

import torch

from benchmarks.tasks import LEARNING_RATE


def network(task, norm=None):
    """Return the task's network; `norm` names a layer that normalizes the input of each activation."""
    layers = []
    for n_in, n_out in pairwise(task.widths):
        layers += [torch.nn.Linear(n_in, n_out), *([getattr(torch.nn, norm)(n_out)] if norm else []), torch.nn.ReLU()]
    if norm:
        del layers[-2]  # none in front of the output
    model = torch.nn.Sequential(*(layers[:-1] if task.classes else [*layers[:-1], torch.nn.Sigmoid()]))
    linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(linear, task.weights, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return model


def loss_of(task):
    return torch.nn.CrossEntropyLoss() if task.classes else torch.nn.MSELoss(reduction="sum")


def train(task, *, accuracy=False, compiled=False, norm=None):
    """Train, and with `accuracy` count the hits of each epoch as `fit` does."""
    model, loss = network(task, norm), loss_of(task)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE, fused=True)
    all_x, all_y, orders = map(torch.from_numpy, (task.x, task.y, task.orders))

    def predict_and_compare(x, y):
        prediction = model(x)
        return prediction, loss(prediction, y)

    if compiled:
        predict_and_compare = torch.compile(predict_and_compare)

    def run():
        losses = []
        for order in orders:
            hits = 0
            for x, y in zip(all_x[order].split(task.batch), all_y[order].split(task.batch), strict=True):
                optimizer.zero_grad()
                prediction, value = predict_and_compare(x, y)
                value.backward()
                optimizer.step()
                losses.append(value.detach())
                if accuracy:
                    hits += (prediction.argmax(-1) == y.argmax(-1)).sum().item()
        return torch.stack(losses).numpy()

    return run


def forward(task):
    """Return the output in evaluation mode, under `inference_mode`."""
    model, x = network(task).eval(), torch.from_numpy(task.x)

    def run():
        with torch.inference_mode():
            return model(x).numpy()

    return run
