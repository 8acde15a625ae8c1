"""The report's network, here and in torch."""

from itertools import pairwise

import torch
from torch import nn

import minidl as md

WIDTHS = (2, 25, 25, 25)


def report_network(dtype, rng, backend="numpy"):
    """Three hidden layers of 25 with ReLU, and a sigmoid on the two outputs."""
    layers = []
    for n_in, n_out in pairwise(WIDTHS):
        layers += [md.Linear(n_in, n_out, dtype=dtype, rng=rng, backend=backend), md.ReLU()]
    return md.Sequential([*layers, md.Linear(WIDTHS[-1], 2, dtype=dtype, rng=rng, backend=backend), md.Sigmoid()])


def torch_twin(model):
    """The same network with the same parameters in torch."""
    layers = []
    for n_in, n_out in pairwise(WIDTHS):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    twin = nn.Sequential(*layers, nn.Linear(WIDTHS[-1], 2), nn.Sigmoid())
    state = {name: torch.from_numpy(model.backend.to_numpy(value).copy()) for name, value in model.state_dict().items()}
    twin.to(next(iter(state.values())).dtype).load_state_dict(state)
    return twin
