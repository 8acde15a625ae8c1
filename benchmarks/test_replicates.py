"""A hundred replicates of the report's network at once: against torch one after another, and JAX's vmap and scan."""

import time

import numpy as np
import pytest

import minidl as md
from benchmarks.report import BATCH, SAMPLES, data, network, torch_network

REPLICATES, EPOCHS = 100, 10
X, Y = (np.stack(arrays) for arrays in zip(*(data(seed) for seed in range(REPLICATES)), strict=True))
STEPS = EPOCHS * SAMPLES // BATCH


def stacked():
    seeds = iter(range(REPLICATES))
    return md.replicate(lambda _: network(next(seeds)), range(REPLICATES))


def orders():
    """Return the batches that `fit` takes from these seeds, (replicate, step, batch)."""
    each = [np.concatenate([rng.permutation(SAMPLES) for _ in range(EPOCHS)]) for rng in generators()]
    return np.stack(each).reshape(REPLICATES, STEPS, BATCH)


def generators():
    return [np.random.default_rng(seed) for seed in range(REPLICATES)]


def fit(model):
    optimizer = md.Adam(model)
    return md.fit(model, md.MSELoss(), optimizer, X, Y, epochs=EPOCHS, batch_size=BATCH, rng=generators())


def torch_run(model, r, batches):
    """Train one network in torch; return the loss per sample of the last epoch."""
    import torch  # noqa: PLC0415 - absent on most Pythons

    twin = torch_network(model)
    optimizer, loss = torch.optim.Adam(twin.parameters(), fused=True), torch.nn.MSELoss(reduction="sum")
    x, y, total = torch.from_numpy(X[r]), torch.from_numpy(Y[r]), 0.0
    for step, rows in enumerate(torch.from_numpy(batches)):
        optimizer.zero_grad()
        value = loss(twin(x[rows]), y[rows])
        value.backward()
        optimizer.step()
        if step >= STEPS - SAMPLES // BATCH:
            total += value.item()
    return total / SAMPLES


def test_against_torch_one_after_another(compare):
    torch = pytest.importorskip("torch", reason="torch is installed on Python 3.11 only")
    torch.set_num_threads(1)
    batches = orders()
    models = iter([stacked() for _ in range(10)])
    assert fit(stacked()).loss[-1][7] == pytest.approx(torch_run(network(7), 7, batches[7]), rel=1e-3)
    some = range(0, REPLICATES, 20)  # torch's time does not depend on the seed: five stand for a hundred
    compare(
        f"{REPLICATES} replicates, {EPOCHS} epochs (torch: 5 runs, times 20)",
        lambda: fit(next(models)),
        lambda: [torch_run(network(r), r, batches[r]) for r in some],
        rival="torch one by one",
        rounds=6,
        times=20,
    )


def test_against_jax_vmap_and_scan(compare, note):
    jax = pytest.importorskip("jax", reason="JAX is installed on Python 3.11 only")
    from benchmarks import jax_rival  # noqa: PLC0415 - absent on most Pythons

    params, batches = jax_rival.parameters(stacked()), jax.numpy.asarray(orders())
    x, y = jax.numpy.asarray(X), jax.numpy.asarray(Y)
    start = time.perf_counter()
    losses = jax_rival.run(params, x, y, batches)
    note(f"JAX {jax.__version__}: compiling and the first run took {time.perf_counter() - start:.2f} s")
    last = losses.reshape(REPLICATES, EPOCHS, -1)[:, -1].sum(axis=-1) / SAMPLES
    np.testing.assert_allclose(fit(stacked()).loss[-1], last, rtol=2e-2)  # float32, 200 steps of Adam apart
    models = iter([stacked() for _ in range(10)])
    compare(
        f"{REPLICATES} replicates, {EPOCHS} epochs",
        lambda: fit(next(models)),
        lambda: jax_rival.run(params, x, y, batches),
        rival="JAX vmap + scan, compiled",
        rounds=6,
    )
