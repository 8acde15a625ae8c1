"""The report's network: one step, and a whole training of 50 epochs, here and in torch."""

import numpy as np
import pytest

import minidl as md
from benchmarks.report import BATCH, EPOCHS, SAMPLES, data, network, torch_network

X, Y = data()


def orders(seed):
    rng = np.random.default_rng(seed)
    return [rng.permutation(SAMPLES) for _ in range(EPOCHS)]


def bare_loop():
    """Train with nothing around the steps; return the loss of the last epoch."""
    model, loss = network(), md.MSELoss()
    optimizer = md.Adam(model)
    for order in orders(1):
        total = 0.0
        for start in range(0, SAMPLES, BATCH):
            rows = order[start : start + BATCH]
            total += loss.forward(model.forward(X[rows]), Y[rows])
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()
    return float(total) / SAMPLES


def torch_loop(*, history):
    """Train the same network on the same batches; with `history` gather loss and accuracy as `fit` does."""
    import torch  # noqa: PLC0415 - absent on most Pythons

    twin = torch_network(network())
    optimizer, loss = torch.optim.Adam(twin.parameters(), fused=True), torch.nn.MSELoss(reduction="sum")
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    for order in orders(1):
        total, hits, rows_of = 0.0, 0, torch.from_numpy(order)
        for start in range(0, SAMPLES, BATCH):
            rows = rows_of[start : start + BATCH]
            target = y[rows]
            optimizer.zero_grad()
            prediction = twin(x[rows])
            value = loss(prediction, target)
            value.backward()
            optimizer.step()
            if history:
                total += value.item()
                hits += (prediction.argmax(-1) == target.argmax(-1)).sum().item()
            else:
                total = total + value.detach()
    return float(total) / SAMPLES


def fit():
    model = network()
    return md.fit(model, md.MSELoss(), md.Adam(model), X, Y, epochs=EPOCHS, batch_size=BATCH, rng=1).loss[-1]


def test_step(benchmark):
    model, loss = network(), md.MSELoss()
    optimizer = md.Adam(model)
    x, y = X[:BATCH], Y[:BATCH]

    def step():
        loss.forward(model.forward(x), y)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()

    benchmark(step)


def test_forward_only(benchmark):
    model = network()
    benchmark(model.infer, X[:BATCH])


def test_training_with_fit(benchmark):
    benchmark.pedantic(fit, rounds=10, warmup_rounds=1)


def test_training_against_torch(compare):
    torch = pytest.importorskip("torch", reason="torch is installed on Python 3.11 only")
    torch.set_num_threads(1)
    # equal work: the same parameters and batches, and the same loss at the end
    assert bare_loop() == pytest.approx(torch_loop(history=False), rel=1e-3)
    assert fit() == pytest.approx(torch_loop(history=True), rel=1e-3)
    rival = "torch, Adam(fused=True)"
    compare("50 epochs, the bare loop", bare_loop, lambda: torch_loop(history=False), rival=rival)
    compare("50 epochs, loss and accuracy per epoch (fit)", fit, lambda: torch_loop(history=True), rival=rival)
