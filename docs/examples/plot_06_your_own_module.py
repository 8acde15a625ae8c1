r"""
Your own module
===============

A module is a class with ``forward`` and ``backward``. This page implements a module with a parameter, checks its
gradient with ``gradcheck``, compares it with torch's implementation to the last bits, and trains networks with it.

The module is PReLU: a leaky ReLU whose slope :math:`a_j` below zero is learned, one slope per feature j.

.. math:: y_{sj} = \max(0, x_{sj}) + a_j \min(0, x_{sj})
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

import minidl
import minidl_data

# %%
# **Derivation.** Below zero the output is :math:`a_j x_{sj}`, so
#
# .. math::
#
#    \frac{\partial L}{\partial x_{sj}} &= a_j \frac{\partial L}{\partial y_{sj}} \\
#    \frac{\partial L}{\partial a_j} &= \sum_s \frac{\partial L}{\partial y_{sj}} \min(0, x_{sj})
#
# Above zero the gradient passes unchanged. In the code
#
# - the constructor passes the initial values to ``Module``, which copies them into the parameter vector;
# - ``check_input`` raises an error for an input that does not fit;
# - ``save_for_backward`` saves what ``backward`` needs, and ``saved`` checks ``dy`` and returns it;
# - ``accumulate_grad`` adds to the gradient of the slopes; ``sum_samples`` sums over samples, never over replicates;
# - ``broadcast_param`` inserts the sample axes of x between the replicate axes and the feature axis of the slopes.
#
# :doc:`/reference/authors` documents these methods.


class PReLU(minidl.Module):
    """A leaky ReLU whose slopes are learned."""

    def __init__(self, features, dtype="float32"):
        super().__init__({"slope": np.full(features, 0.25)}, dtype=dtype)
        self.in_features = self.out_features = features

    def forward(self, x):
        """Return x where x > 0, slope * x elsewhere; save x."""
        self.check_input(x, self.in_features)
        return self.save_for_backward(np.where(x > 0, x, self.broadcast_param("slope", x) * x), x)

    def backward(self, dy, *, need_dx=True):
        """Add dL/dslope, return dL/dx."""
        (x,) = self.saved(dy)
        self.accumulate_grad("slope", self.sum_samples, dy * np.minimum(x, 0))
        return np.where(x > 0, dy, self.broadcast_param("slope", dy) * dy) if need_dx else None


# %%
# **Gradient check.** ``gradcheck`` compares ``backward`` with differences of ``forward``, for the input and the
# parameters, with a random upstream gradient. It returns the largest error.

rng = np.random.default_rng(0)
x = rng.standard_normal((20, 5))
print(f"largest error: {minidl.gradcheck(PReLU(5, 'float64'), x, rng=0):.1e}")

# %%
# Replicates are checked in the same way. Here three layers stand side by side, with shared samples, with samples of
# their own, and with sequences, which have one more axis. This check detects a parameter on a wrong axis, which the
# check of a single layer cannot.

three = minidl.replicate(lambda _rng: PReLU(5, "float64"), range(3))
three.values[...] = rng.uniform(0.1, 0.5, three.values.shape)
for axes in ((20,), (3, 20), (3, 3, 20)):
    error = minidl.gradcheck(three, rng.standard_normal((*axes, 5)), rng=0)
    print(f"three of them, x {(*axes, 5)}: {error:.1e}")

# %%
# An error message names the element of a wrong gradient. This module has a mean over the samples instead of a sum.


class Wrong(PReLU):
    """PReLU with an error in its gradient."""

    def backward(self, dy, *, need_dx=True):
        """Add the wrong gradient."""
        (x,) = self.saved(dy)
        self.accumulate_grad("slope", self.sum_samples, dy * np.minimum(x, 0) / len(x))
        return np.where(x > 0, dy, self.broadcast_param("slope", dy) * dy) if need_dx else None


try:
    minidl.gradcheck(Wrong(5, "float64"), x, rng=0)
except minidl.GradientError as error:
    print(error)

# %%
# **Parity with torch.** Torch's PReLU gets the same input and the same upstream gradient. The difference is measured in
# ulp, units in the last place of torch's numbers. In a clone of the repository, one entry in ``conformance/`` declares
# such a comparison; the tests over shapes, layouts, dtypes and edge values come with it.


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
# **Training.** The module can be part of a network, and can be replicated, saved and copied like the others. Twenty
# networks with two hidden layers of 8 units learn the disk, with PReLU and with ReLU.


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
