"""JAX: a compiled step called from Python, a compiled scan over all steps, and its vmap over replicates."""

import math
from functools import cache, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.tasks import BETA1, BETA2, EPS, LEARNING_RATE


def unpack(flat, widths):
    """Yield the views (weight, bias) of a flat vector, which is one argument of a compiled call in place of many."""
    start = 0
    for n_in, n_out in pairwise(widths):
        middle, stop = start + n_in * n_out, start + (n_in + 1) * n_out
        yield flat[start:middle].reshape(n_out, n_in), flat[middle:stop]
        start = stop


def output_of(flat, x, widths, *, classes):
    *hidden, (weight, bias) = unpack(flat, widths)
    for w, b in hidden:
        x = jax.nn.relu(x @ w.T + b)
    x = x @ weight.T + bias
    return x if classes else jax.nn.sigmoid(x)


def loss_of(flat, x, y, widths, *, classes):
    prediction = output_of(flat, x, widths, classes=classes)
    if classes:
        return -jnp.take_along_axis(jax.nn.log_softmax(prediction), y[:, None], axis=-1).mean()
    return ((prediction - y) ** 2).sum()


def step_on(state, x, y, widths, *, classes):
    """Return the state after a step of Adam, and the loss before it."""
    flat, m, v, t = state
    loss, grad = jax.value_and_grad(loss_of)(flat, x, y, widths, classes=classes)
    m, v, t = BETA1 * m + (1 - BETA1) * grad, BETA2 * v + (1 - BETA2) * grad * grad, t + 1
    corrections = (-jnp.expm1(t * math.log(beta)) for beta in (BETA1, BETA2))  # 1 - beta**t without cancellation
    advance = m / next(corrections) / (EPS + jnp.sqrt(v / next(corrections)))
    return (flat - LEARNING_RATE * advance, m, v, t), loss


def epochs_scan(state, x, y, orders, widths, batch, *, classes):
    """Train on all batches of all orders in one call; return the state and the loss of each step."""

    def step(state, rows):
        return step_on(state, x[rows], y[rows], widths, classes=classes)

    return jax.lax.scan(step, state, orders.reshape(-1, batch))


STATIC = ("widths", "classes")


@partial(jax.jit, static_argnames=(*STATIC, "batch"), donate_argnums=0)
def one_step(state, x, y, i, widths, batch, *, classes):
    rows = (jax.lax.dynamic_slice_in_dim(array, i * batch, batch) for array in (x, y))
    return step_on(state, *rows, widths, classes=classes)


@jax.jit
def gather(x, y, order):
    return x[order], y[order]


def start(task):
    """Return the state at the start; of replicates, stacked."""
    flat = np.concatenate([a.reshape(*task.replicate_shape, -1) for layer in task.weights for a in layer], axis=-1)
    return jnp.asarray(flat), jnp.zeros_like(flat), jnp.zeros_like(flat), jnp.zeros(task.replicate_shape)


def train_by_steps(task):
    """Call a compiled step for each batch."""
    state, x, y, orders = start(task), *map(jnp.asarray, (task.x, task.y, task.orders))

    def run():
        nonlocal state
        losses = []
        for order in orders:
            shuffled = gather(x, y, order)
            for i in range(task.steps):
                state, loss = one_step(state, *shuffled, i, task.widths, task.batch, classes=task.classes)
                losses.append(loss)
        return np.array(jnp.stack(losses))

    return run


def train_by_scan(task):
    """Call a compiled scan over all batches once; with a vmap around it if there are replicates."""
    compiled = compiled_scan(task.widths, task.batch, classes=task.classes, many=bool(task.replicate_shape))
    state, data = start(task), [jnp.asarray(array) for array in (task.x, task.y, task.orders)]

    def run():
        nonlocal state
        state, losses = compiled(state, *data)
        return np.array(losses).T

    return run


@cache
def compiled_scan(widths, batch, *, classes, many):
    scan = partial(epochs_scan, widths=widths, batch=batch, classes=classes)
    return jax.jit(jax.vmap(scan) if many else scan, donate_argnums=0)


def forget_compiled():
    """Drop all compiled code, so that the next call compiles again."""
    compiled_scan.cache_clear()
    jax.clear_caches()


def forward(task):
    compiled = jax.jit(partial(output_of, widths=task.widths, classes=task.classes))
    flat, x = start(task)[0], jnp.asarray(task.x)
    return lambda: np.asarray(compiled(flat, x))
