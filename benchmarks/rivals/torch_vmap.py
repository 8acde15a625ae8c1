"""Replicates in torch: `vmap` over the gradients of one network and Adam over the stacked parameters."""

import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from benchmarks.rivals import torch_eager
from benchmarks.rivals.torch_eager import loss_of, network
from benchmarks.tasks import LEARNING_RATE, first_alone


def train(task):
    skeleton, loss = network(first_alone(task)), loss_of(task)
    params, _ = stack_module_state([skeleton] * len(task.x))
    _copy(params, task.weights)
    optimizer = torch.optim.Adam(params.values(), LEARNING_RATE, fused=True)
    all_x, all_y, orders = map(torch.from_numpy, (task.x, task.y, task.orders))
    replicate = torch.arange(len(all_x))[:, None]

    def loss_of_one(params, x, y):
        return loss(functional_call(skeleton, params, x), y)

    gradients = vmap(grad_and_value(loss_of_one))

    def run():
        losses = []
        for epoch in range(task.epochs):
            shuffled = (array[replicate, orders[:, epoch]].split(task.batch, dim=1) for array in (all_x, all_y))
            for x, y in zip(*shuffled, strict=True):
                with torch.no_grad():
                    grads, values = gradients(params, x, y)
                for name, param in params.items():
                    param.grad = grads[name]
                optimizer.step()
                losses.append(values)
        return torch.stack(losses).numpy()

    return run


def one_by_one(task):
    """Train the first network alone."""
    return torch_eager.train(first_alone(task))


def _copy(params, weights):
    values = iter(params.values())
    with torch.no_grad():
        for layer in weights:
            for array in layer:
                next(values).copy_(torch.from_numpy(array))
