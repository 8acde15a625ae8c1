"""A whole training of the report's network against torch: same parameters, same batches, 50 epochs."""

import numpy as np
import pytest
import torch
from torch import nn

import minidl as md
from conformance.arrays import RUNNERS, backend_and_engine
from conformance.network import report_network, torch_twin

EPOCHS, BATCH, SAMPLES = 50, 50, 1000
# After 1000 steps: of the loss of every epoch, and absolute of every output in [0, 1]. The largest seen was 1.8e-15; on
# another processor both BLAS may add in another order, and rounding grows while a network trains.
TOLERANCE = 1e-12


def disk(rng, dtype):
    x = rng.uniform(size=(SAMPLES, 2)).astype(dtype)
    inside = ((x - 0.5) ** 2).sum(axis=-1) < 1 / (2 * np.pi)
    return x, np.stack([~inside, inside], axis=-1).astype(dtype)


def train_torch(twin, optimizer, schedule, x, y, rng):
    """Return the loss per sample of each epoch, gathered as `minidl.fit` documents it."""
    x, y, curve = torch.from_numpy(x), torch.from_numpy(y), []
    for _ in range(EPOCHS):
        total, order = 0.0, torch.from_numpy(rng.permutation(SAMPLES))
        for start in range(0, SAMPLES, BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(twin(x[rows]), y[rows], reduction="sum")
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            total += loss.item()
        curve.append(total / SAMPLES)
    return curve


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_fifty_epochs(name, runner, rng):
    backend, engine = backend_and_engine(runner)
    x, y = disk(rng, "float64")
    model = report_network("float64", rng, backend)
    twin = torch_twin(model)
    if name == "SGD":
        ours, theirs = md.SGD(model, kappa=0.6, eta=0.035), torch.optim.SGD(twin.parameters(), 0.035)
        schedule = torch.optim.lr_scheduler.LambdaLR(theirs, lambda step: (step + 1) ** -0.6)
    else:
        ours, theirs, schedule = md.Adam(model), torch.optim.Adam(twin.parameters()), None
    data = (x, y) if backend == "numpy" else (torch.from_numpy(x), torch.from_numpy(y))
    history = md.fit(model, md.MSELoss(), ours, *data, epochs=EPOCHS, batch_size=BATCH, rng=5, engine=engine)
    assert history.engine == engine
    curve = train_torch(twin, theirs, schedule, x, y, np.random.default_rng(5))
    np.testing.assert_allclose(history.loss, curve, rtol=TOLERANCE)
    with torch.no_grad():
        wanted = twin(torch.from_numpy(x)).numpy()
    predicted = model.backend.to_numpy(md.predict(model, data[0], engine=engine))
    np.testing.assert_allclose(predicted, wanted, atol=TOLERANCE)
    assert history.loss[-1] < 0.5 * history.loss[0]
