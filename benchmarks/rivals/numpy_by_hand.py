"""Plain NumPy: a network written by hand, with every array allocated once and `out=` everywhere."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.tasks import BETA1, BETA2, EPS, LEARNING_RATE

BLOCK = 32768  # elements of long vectors per block of Adam, so that a block stays in the cache


def train(task, *, accuracy=False):
    """Train, and with `accuracy` count the hits of each epoch as `fit` does."""
    net = ByHand(task)
    hits = []

    def run():
        losses = []
        hits.clear()
        for order in task.orders:
            x, y, count = task.x.take(order, axis=0), task.y.take(order, axis=0), 0
            for start in range(0, len(x), task.batch):
                rows = slice(start, start + task.batch)
                losses.append(net.step(x[rows], y[rows]))
                if accuracy:
                    count += net.count_hits(y[rows])
            hits.append(count)
        return np.array(losses)

    return run


class ByHand:
    """A network for batches of one fixed size."""

    def __init__(self, task):
        self.classes = task.classes
        self.params, self.grads = vectors(task.weights), vectors(task.weights)
        flat, grad = self.params[0], self.grads[0]
        four = flat, grad, np.zeros_like(flat), np.zeros_like(flat), np.empty_like(flat)
        self.blocks = [tuple(a[i : i + BLOCK] for a in four) for i in range(0, flat.size, BLOCK)]
        self.t, self.ones, self.rows = 0, np.ones(task.batch, np.float32), np.arange(task.batch)
        self.outputs = [np.empty((task.batch, n), np.float32) for n in task.widths[1:]]
        self.deltas = [np.empty_like(y) for y in self.outputs]
        self.masks = [np.empty_like(y) for y in self.outputs]
        self.spare = np.empty_like(self.outputs[-1])
        self.column = np.empty((task.batch, 1), np.float32)

    def step(self, x, y):
        """Make one step and return the loss before the step."""
        last = len(self.outputs) - 1
        below = x
        for i, ((weight, bias), out) in enumerate(zip(self.params[1], self.outputs, strict=True)):
            np.matmul(below, weight.T, out=out)
            np.add(out, bias, out=out)
            if i < last:
                np.maximum(out, 0, out=out)
            below = out
        loss = self.cross_entropy(y) if self.classes else self.squares(y)
        for i in range(last, -1, -1):
            dy, (weight, bias) = self.deltas[i], self.grads[1][i]
            np.matmul(dy.T, self.outputs[i - 1] if i else x, out=weight)
            np.matmul(self.ones, dy, out=bias)
            if i:
                dx = self.deltas[i - 1]
                np.matmul(dy, self.params[1][i][0], out=dx)
                np.sign(self.outputs[i - 1], out=self.masks[i - 1])  # floats 1 and 0 multiply faster than bools
                np.multiply(dx, self.masks[i - 1], out=dx)
        self.adam()
        return loss

    def squares(self, y):
        """Return the loss of sigmoid and summed squares, and write its gradient into the last delta."""
        f, dy, spare = self.outputs[-1], self.deltas[-1], self.spare
        np.negative(f, out=f)
        np.exp(f, out=f)
        np.add(f, 1, out=f)
        np.reciprocal(f, out=f)
        np.subtract(f, y, out=dy)
        loss = np.vdot(dy, dy)
        np.multiply(f, f, out=spare)
        np.subtract(f, spare, out=spare)
        np.multiply(dy, spare, out=dy)
        np.multiply(dy, 2, out=dy)
        return loss

    def cross_entropy(self, classes):
        """Return the loss of softmax and mean cross-entropy, and write its gradient into the last delta."""
        z, dy, column = self.outputs[-1], self.deltas[-1], self.column
        np.amax(z, axis=-1, keepdims=True, out=column)
        np.subtract(z, column, out=z)
        np.exp(z, out=dy)
        np.sum(dy, axis=-1, keepdims=True, out=column)
        loss = (np.log(column).sum() - z[self.rows, classes].sum()) / len(z)
        np.divide(dy, column, out=dy)
        dy[self.rows, classes] -= 1
        np.divide(dy, len(z), out=dy)
        return loss

    def adam(self):
        self.t += 1
        root = (1 - BETA2**self.t) ** 0.5
        rate = LEARNING_RATE / (1 - BETA1**self.t)
        for value, grad, m, v, spare in self.blocks:
            np.multiply(m, BETA1, out=m)
            np.multiply(grad, 1 - BETA1, out=spare)
            np.add(m, spare, out=m)
            np.multiply(v, BETA2, out=v)
            np.multiply(grad, grad, out=spare)
            np.multiply(spare, 1 - BETA2, out=spare)
            np.add(v, spare, out=v)
            np.sqrt(v, out=spare)
            np.divide(spare, root, out=spare)
            np.add(spare, EPS, out=spare)
            np.divide(m, spare, out=spare)
            np.multiply(spare, rate, out=spare)
            np.subtract(value, spare, out=value)

    def count_hits(self, y):
        f = self.outputs[-1]
        return np.count_nonzero((f[:, 1] > f[:, 0]) == (y[:, 1] > y[:, 0]))


def vectors(weights):
    """Return a flat copy of all parameters, and the views (weight, bias) into it."""
    flat = np.concatenate([array.ravel() for layer in weights for array in layer])
    views, start = [], 0
    for weight, bias in weights:
        middle, stop = start + weight.size, start + weight.size + bias.size
        views.append((flat[start:middle].reshape(weight.shape), flat[middle:stop]))
        start = stop
    return flat, views


def products(task):
    """Compute the matrix products of a training alone, each with the shapes that it has in a step."""
    net = ByHand(task)
    x = np.ascontiguousarray(task.x[: task.batch])
    net.deltas[-1][...] = 1e-3

    def run():
        for _ in range(task.steps * task.epochs):
            below = x
            for (weight, _), out in zip(net.params[1], net.outputs, strict=True):
                below = np.matmul(below, weight.T, out=out)
            for i in range(len(net.outputs) - 1, -1, -1):
                np.matmul(net.deltas[i].T, net.outputs[i - 1] if i else x, out=net.grads[1][i][0])
                if i:
                    np.matmul(net.deltas[i], net.params[1][i][0], out=net.deltas[i - 1])
        return []

    return run


def one_product(task):
    """Compute products of two matrices of 512 x 512, with as many operations as all products of a training."""
    forward = sum(below * above for below, above in pairwise(task.widths))
    operations = task.orders.size * (3 * forward - task.widths[0] * task.widths[1])
    rows, matrix = max(1, operations // 512**2), np.full((512, 512), 1e-3, np.float32)
    whole, rest = divmod(rows, 512)
    out = np.empty_like(matrix)

    def run():
        for _ in range(whole):
            np.matmul(matrix, matrix, out=out)
        np.matmul(matrix[:rest], matrix, out=out[:rest])
        return []

    return run


def two_products(task):
    """Do `one_product` twice at once, in two threads: what a second processor can gain."""
    jobs, blas = [one_product(task), one_product(task)], ThreadpoolController().select(user_api="blas")
    pool = ThreadPoolExecutor(len(jobs))

    def run():
        with blas.limit(limits=1):
            for job in [pool.submit(job) for job in jobs]:
                job.result()
        return []

    return run


def forward(task, *, sigmoid=lambda x: 1 / (1 + np.exp(-x))):
    """Compute matmuls, biases and activations alone, with a new array for each layer."""
    matrices = [(weight.T, bias) for weight, bias in task.weights]

    def run():
        y = task.x
        for weight, bias in matrices[:-1]:
            y = y @ weight
            y += bias
            np.maximum(y, 0, out=y)
        weight, bias = matrices[-1]
        y = y @ weight
        y += bias
        return y if task.classes else sigmoid(y)

    return run


def forward_stable(task):
    """Compute the same with minidl's sigmoid, which cannot overflow."""
    return forward(task, sigmoid=lambda x: np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))))


def parameters(widths):
    """Return the number of parameters of a network."""
    return sum((n + 1) * m for n, m in pairwise(widths))
