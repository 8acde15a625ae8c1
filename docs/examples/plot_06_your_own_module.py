r"""
Your own module
===============

A module is a class with ``forward`` and ``backward``. This page writes one with a parameter, proves its gradient with
``gradcheck``, compares it with its twin in torch to the last bits, and trains with it.

The module is PReLU: a leaky ReLU whose slope :math:`a_j` below zero is learned, one for each feature j.

.. math:: y_{sj} = \max(0, x_{sj}) + a_j \min(0, x_{sj})
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

import minidl
import minidl_data

# %%
# The derivation. Below zero the output is :math:`a_j x_{sj}`, so there
#
# .. math::
#
#    \frac{\partial L}{\partial x_{sj}} = a_j \frac{\partial L}{\partial y_{sj}},
#    \qquad
#    \frac{\partial L}{\partial a_j} = \sum_s \frac{\partial L}{\partial y_{sj}} \min(0, x_{sj})
#
# and above zero the gradient passes as it is. In the code,
#
# - the constructor hands the initial values to ``Module``, which puts them into the vector of the network;
# - ``forward`` saves what ``backward`` needs, and ``backward`` gets it back once ``dy`` is known to fit;
# - ``_add_grad`` adds to the gradient, here a sum over samples, and never over replicates;
# - ``_beside`` gives the slopes the axes of the samples, however many x has, between replicates and features.


class PReLU(minidl.Module):
    """A leaky ReLU whose slopes are learned."""

    def __init__(self, features, dtype="float32"):
        super().__init__({"slope": np.full(features, 0.25)}, dtype=dtype)
        self.in_features = self.out_features = features

    def forward(self, x):
        """Return x where x > 0, slope * x elsewhere; save x."""
        self._accept(x, self.in_features)
        return self._save(np.where(x > 0, x, self._beside("slope", x) * x), x)

    def backward(self, dy, *, need_dx=True):
        """Add dL/dslope, return dL/dx."""
        (x,) = self._recall(dy)
        self._add_grad("slope", self._buffer.sum_samples, dy * np.minimum(x, 0))
        return np.where(x > 0, dy, self._beside("slope", dy) * dy) if need_dx else None


# %%
# **gradcheck** compares ``backward`` with differences of ``forward``, for the input and the parameters, with a random
# upstream gradient. It returns the largest error.

rng = np.random.default_rng(0)
x = rng.standard_normal((20, 5))
print(f"largest error: {minidl.gradcheck(PReLU(5, 'float64'), x, rng=0):.1e}")

# Replicates are checked the same way: three layers side by side, on samples that they share, on samples of their own,
# and on sequences, which have one more axis. A parameter on the wrong axis would show here, and nowhere else.

three = minidl.replicate(lambda _rng: PReLU(5, "float64"), range(3))
three.values[...] = rng.uniform(0.1, 0.5, three.values.shape)
for axes in ((20,), (3, 20), (3, 3, 20)):
    error = minidl.gradcheck(three, rng.standard_normal((*axes, 5)), rng=0)
    print(f"three of them, x {(*axes, 5)}: {error:.1e}")

# %%
# A slip is found, and named by its element. This one takes the mean over the samples where the sum belongs.


class Wrong(PReLU):
    """PReLU with a slip in its gradient."""

    def backward(self, dy, *, need_dx=True):
        """Add the wrong gradient."""
        (x,) = self._recall(dy)
        self._add_grad("slope", self._buffer.sum_samples, dy * np.minimum(x, 0) / len(x))
        return np.where(x > 0, dy, self._beside("slope", dy) * dy) if need_dx else None


try:
    minidl.gradcheck(Wrong(5, "float64"), x, rng=0)
except minidl.GradientError as error:
    print(error)

# %%
# **Parity.** The twin in torch gets the same input and the same upstream gradient; the distance is counted in ulp,
# units in the last place of torch's numbers. In a clone of the repository this is one entry in ``conformance/``: how to
# build both, and the tolerance; the tests over shapes, layouts, dtypes and edge values come with it.


def ulps(ours, theirs):
    """Return the largest distance, in units in the last place of the largest number."""
    return np.abs(ours - theirs).max() / np.spacing(np.abs(theirs).max())


ours, theirs = PReLU(5, "float64"), torch.nn.PReLU(5, dtype=torch.float64)
tensor = torch.from_numpy(x).requires_grad_()
dy = rng.standard_normal(x.shape)
y, y_torch = ours.forward(x), theirs(tensor)
dx = ours.backward(dy)
y_torch.backward(torch.from_numpy(dy))
print(f"output          {ulps(y, y_torch.detach().numpy()):.2g} ulp")
print(f"input gradient  {ulps(dx, tensor.grad.numpy()):.2g} ulp")
print(f"slope gradient  {ulps(ours.grads, theirs.weight.grad.numpy()):.2g} ulp")

# %%
# **Training.** The module is now like any other: it can stand in a network, be replicated, saved and copied. Twenty
# networks of two layers with 8 units each learn the disk, with PReLU and with ReLU.


def build(activation):
    """Return a function that builds a network with a given activation."""

    def network(rng):
        linear, hidden = minidl.Linear, []
        for n_in in (2, 8):
            hidden += [linear(n_in, 8, rng=rng), activation()]
        return minidl.Sequential([*hidden, linear(8, 2, rng=rng)])

    return network


(x, y), test = minidl_data.load_disk(5)
figure, axes = plt.subplots(figsize=(6.4, 4))
for name, activation, dashes in (("PReLU", lambda: PReLU(8), "-"), ("ReLU", minidl.ReLU, "--")):
    model = minidl.replicate(build(activation), range(20))
    optimizer = minidl.Adam(model, lr=0.003)
    history = minidl.fit(
        model, minidl.CrossEntropyLoss(), optimizer, x, y, epochs=60, batch_size=50, validation=test, rng=0
    )
    low, middle, high = (100 * history.quantile("val_accuracy", q) for q in (0.1, 0.5, 0.9))
    (line,) = axes.plot(np.arange(1, 61), middle, dashes, label=name)
    axes.fill_between(np.arange(1, 61), low, high, color=line.get_color(), alpha=0.15, lw=0)
axes.set(xlabel="epoch", ylabel="test accuracy (%)", title="median and 10 % to 90 % of 20 seeds")
axes.legend(loc="lower right")
plt.show()
