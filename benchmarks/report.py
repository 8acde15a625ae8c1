"""The report's network and data, for every library that is timed."""

from itertools import pairwise

import numpy as np

import minidl as md

EPOCHS, BATCH, SAMPLES = 50, 50, 1000
WIDTHS = (2, 25, 25, 25)


def data(seed=0):
    """Points in the unit square, one-hot labels."""
    x = np.random.default_rng(seed).random((SAMPLES, 2), dtype=np.float32)
    inside = ((x - 0.5) ** 2).sum(axis=-1) < 1 / (2 * np.pi)
    return x, np.stack([~inside, inside], axis=-1).astype(np.float32)


def network(seed=0):
    """Three hidden layers of 25 with ReLU, a sigmoid on the two outputs."""
    rng, layers = np.random.default_rng(seed), []
    for n_in, n_out in pairwise(WIDTHS):
        layers += [md.Linear(n_in, n_out, rng=rng), md.ReLU()]
    return md.Sequential([*layers, md.Linear(WIDTHS[-1], 2, rng=rng), md.Sigmoid()])


def torch_network(model):
    """Return the same network, with the same parameters, in torch."""
    import torch  # noqa: PLC0415 - only the comparisons with torch need it

    layers = []
    for n_in, n_out in pairwise(WIDTHS):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    twin = torch.nn.Sequential(*layers, torch.nn.Linear(WIDTHS[-1], 2), torch.nn.Sigmoid())
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in model.state_dict().items()})
    return twin
