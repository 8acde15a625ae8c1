"""Replicates on both libraries: each steps, and is trained, as the network of its seed and settings is alone."""

import numpy as np
import pytest

import minidl as md
from conformance.arrays import BACKENDS, RUNNERS, as_library, as_numpy, backend_and_engine
from conformance.network import report_network
from conformance.optimizer_cases import OPTIMIZERS
from conformance.ulp import ulps

SEEDS = (3, 1, 4)
# Of the largest element. torch's product over all replicates adds in another order than that of one network; the
# largest difference after a training, over 10 seeds, was 2e-15; another BLAS may take yet another order.
RELATIVE = 1e-13

# Per optimizer its settings: a list has one number for each replicate.
SETTINGS = {
    "SGD lr": (md.SGD, {"lr": [0.1, 0.01, 0]}),
    "SGD kappa, eta": (md.SGD, {"kappa": [0.6, 0, 1], "eta": [0.1, 0.01, 0.05]}),
    "SGD momentum, weight decay": (md.SGD, {"lr": 0.01, "momentum": [0.9, 0, 0.5], "weight_decay": [0, 0.1, 0.01]}),
    "SGD Nesterov": (md.SGD, {"lr": [0.01, 0.02, 0.03], "momentum": [0.9, 0.1, 0.5], "nesterov": True}),
    "Adam lr, weight decay": (md.Adam, {"lr": [0.01, 0.001, 0.003], "weight_decay": [0.1, 0, 0.01]}),
    "Adam clip": (md.Adam, {"lr": 0.01, "clip": [1.0, np.inf, 0.1], "weight_decay": 0.1, "decay_biases": False}),
    "AdamW lr, weight decay": (md.AdamW, {"lr": [0.01, 0.001, 0.003], "weight_decay": [0.1, 0, 0.01]}),
    "RMSprop": (md.RMSprop, {"alpha": [0.9, 0, 0.5], "momentum": [0, 0.5, 0.9], "eps": 0.01, "clip": [1, 2, 0.1]}),
    "Adam betas, eps": (md.Adam, {"beta1": [0.9, 0, 0.5], "beta2": [0.999, 0.9, 0.5], "eps": [1e-8, 0.1, 1e-4]}),
}
MAKERS = {str(case): lambda model, _r, case=case: case.ours(model) for case in OPTIMIZERS} | {
    name: lambda model, r, kind=kind, settings=settings: kind(model, **own(settings, r))
    for name, (kind, settings) in SETTINGS.items()
}
# NumPy raises an array to a power with other rounding than Python does a number: the rates t**-kappa, the beta**t.
POWERS = {"SGD kappa, eta": 2, "Adam betas, eps": 2}
by_backend = pytest.mark.parametrize("backend", BACKENDS)


def own(settings, r):
    """Return the settings of replicate r, or for r = None those of all."""
    return {name: value[r] if isinstance(value, list) and r is not None else value for name, value in settings.items()}


@by_backend
@pytest.mark.parametrize("name", MAKERS)
def test_replicates_step_as_their_single_networks(name, backend, rng):
    make = MAKERS[name]
    stacked = md.replicate(lambda generator: report_network("float64", generator, backend), SEEDS)
    alone = [report_network("float64", np.random.default_rng(seed), backend) for seed in SEEDS]
    together, each = make(stacked, None), [make(model, r) for r, model in enumerate(alone)]
    for _ in range(20):
        gradient = as_library(rng.standard_normal(stacked.values.shape), backend)
        stacked.grads[...] = gradient
        together.step()
        for model, optimizer, row in zip(alone, each, gradient, strict=True):
            model.grads[...] = row
            optimizer.step()
    for r, model in enumerate(alone):
        assert ulps(as_numpy(stacked.values[r]), as_numpy(model.values), "array") <= POWERS.get(name, 0)


def builder(backend, *, own_rates):
    """Return a build function whose r-th call takes the r-th of each setting."""
    settings = iter([(0.1, 0.01, 0.1), (0.5, 0.3, 0.02), (0.0, -1.0, 0.05)])

    def build(rng):
        p_drop, alpha, lr = next(settings)
        options = {"std_b": 0.5, "lr": lr if own_rates else None, "dtype": "float64", "backend": backend, "rng": rng}
        layers = [md.Linear(3, 8, **options), md.LeakyReLU(alpha), md.Dropout(p_drop, rng=rng)]
        return md.Sequential([*layers, md.Linear(8, 2, **options), md.Dropout(0.3, rng=rng)])

    return build


def by_own_rates(model, _r):
    return md.SGD(model)


class Trained:
    """A replicated network after a short `fit`, each replicate on its own data in its own order, and the singles."""

    def __init__(self, runner, rng, make, axes=(20,), spoil=None):
        self.backend, self.engine = backend, _ = backend_and_engine(runner)
        self.make, self.spoiled = make, spoil is not None
        self.x = rng.standard_normal((len(SEEDS), *axes, 3))
        self.y = rng.standard_normal((len(SEEDS), *axes, 2))
        if self.spoiled:
            self.x[spoil] = np.nan
        own_rates = make is by_own_rates
        self.model = md.replicate(builder(backend, own_rates=own_rates), SEEDS)
        build = builder(backend, own_rates=own_rates)
        self.singles = [build(np.random.default_rng(seed)) for seed in SEEDS]

    def fit(self, model, x, y, r, rng):
        x, y = (as_library(array, self.backend) for array in (x, y))
        optimizer = self.make(model, r)
        options = {"epochs": 3, "batch_size": 6, "rng": rng, "engine": self.engine}
        if not self.spoiled:  # fit refuses to validate on samples that are not finite
            options["validation"] = (x, y)
        return md.fit(model, md.MSELoss("mean"), optimizer, x, y, **options)

    def fit_together(self):
        return self.fit(self.model, self.x, self.y, None, [10, 11, 12])

    def fit_alone(self, r):
        return self.fit(self.singles[r], self.x[r], self.y[r], r, 10 + r)

    def same(self, r):
        together, alone = as_numpy(self.model.values[r]), as_numpy(self.singles[r].values)
        np.testing.assert_allclose(together, alone, rtol=0, atol=RELATIVE * np.abs(alone).max())


TRAINED = {"by own rates": by_own_rates} | {
    name: MAKERS[name]
    for name in (
        "SGD momentum, weight decay",
        "Adam lr, weight decay",
        "Adam betas, eps",
        "Adam clip",
        "AdamW lr, weight decay",
        "RMSprop",
    )
}


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("axes", [(20,), (20, 4)], ids=["batch", "sequence"])
@pytest.mark.parametrize("make", TRAINED.values(), ids=TRAINED)
def test_a_training_is_that_of_each_alone(make, axes, runner, rng):
    if runner == "native" and len(axes) > 1:
        pytest.skip("the engine takes samples of one axis")
    trained = Trained(runner, rng, make, axes)
    history = trained.fit_together()
    for r in range(len(SEEDS)):
        alone = trained.fit_alone(r)
        trained.same(r)
        for curve in ("loss", "val_loss"):
            np.testing.assert_allclose(history.curve(curve)[:, r], alone.curve(curve), rtol=RELATIVE)


@by_backend
def test_gradients_of_a_sequence_are_those_of_each_alone(backend, rng):
    trained = Trained(backend, rng, make=None)
    shape = (len(SEEDS), 5, 4)
    x, dy = as_library(rng.standard_normal((*shape, 3)), backend), as_library(rng.standard_normal((*shape, 2)), backend)
    for _ in range(2):  # written at first, then added
        y, dx = trained.model.forward(x), trained.model.backward(dy)
        for r, single in enumerate(trained.singles):
            for ours, alone in ((y[r], single.forward(x[r])), (dx[r], single.backward(dy[r]))):
                np.testing.assert_allclose(as_numpy(ours), as_numpy(alone), atol=1e-14)
            np.testing.assert_allclose(as_numpy(trained.model.grads[r]), as_numpy(single.grads), atol=1e-13)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_replicate_that_diverges_stays_where_it_would_alone(runner, rng):
    trained = Trained(runner, rng, MAKERS["Adam betas, eps"], spoil=(1, 7))
    with pytest.warns(RuntimeWarning, match="replicate 1 has diverged"):
        history = trained.fit_together()
    with pytest.raises(md.DivergenceError) as diverged:
        trained.fit_alone(1)
    assert history.diverged == {1: (diverged.value.epoch, diverged.value.batch)}
    assert np.isfinite(as_numpy(trained.model.values)).all()
    for r in (0, 2):
        trained.fit_alone(r)
    for r in range(len(SEEDS)):
        trained.same(r)
