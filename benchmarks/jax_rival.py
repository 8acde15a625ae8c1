"""The rival in JAX: vmap over the replicates, scan over the steps, everything compiled into one call."""

import jax
import jax.numpy as jnp
import numpy as np

LAYERS = 4


def parameters(model):
    """Return the (stacked) parameters of a replicated minidl model as JAX's tree."""
    state = model.state_dict()
    names = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    return [(jnp.asarray(state[f"{name}.weight"]), jnp.asarray(state[f"{name}.bias"])) for name in names]


def loss_of(params, x, y):
    """Return the summed squared error of one network."""
    for weight, bias in params[:-1]:
        x = jax.nn.relu(x @ weight.T + bias)
    weight, bias = params[-1]
    return ((jax.nn.sigmoid(x @ weight.T + bias) - y) ** 2).sum()


def adam(params, m, v, grads, t):
    """Return the next parameters and moments."""

    def advance(p, m, v, g):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        step = m / (1 - 0.9**t) / (1e-8 + jnp.sqrt(v / (1 - 0.999**t)))
        return p - 1e-3 * step, m, v

    moved = jax.tree.map(advance, params, m, v, grads)
    return (
        jax.tree.map(lambda three, i=i: three[i], moved, is_leaf=lambda n: isinstance(n, tuple) and len(n) == 3)
        for i in range(3)
    )


def train(params, x, y, batches):
    """Train one network on batches of indices (steps, batch); return the parameters and the loss of each step."""

    def step(carry, rows):
        params, m, v, t = carry
        loss, grads = jax.value_and_grad(loss_of)(params, x[rows], y[rows])
        params, m, v = adam(params, m, v, grads, t)
        return (params, m, v, t + 1), loss

    zeros = jax.tree.map(jnp.zeros_like, params)
    (params, *_), losses = jax.lax.scan(step, (params, zeros, zeros, 1.0), batches)
    return params, losses


TRAIN = jax.jit(jax.vmap(train))


def run(params, x, y, batches):
    """Train all replicates; return the losses, (replicate, step)."""
    return np.asarray(TRAIN(params, x, y, batches)[1])
