"""A module here beside its twin in torch, and the whole comparison of the two."""

import numpy as np
import torch

from conformance.arrays import Untouched, as_library, as_numpy, random, torch_dtype
from conformance.ulp import assert_within, ulps


class Pair:
    """A module here and its twin in torch, with the same parameters."""

    def __init__(self, case, dtype, backend, shape, table, *, training=True):
        self.case, self.dtype, self.backend, self.table = case, dtype, backend, table
        self.ours = case.ours(dtype, backend).train(training)
        self.theirs = case.theirs(shape, torch_dtype(dtype)).train(training)
        state = {name: torch.from_numpy(as_numpy(value)) for name, value in self.ours.state_dict().items()}
        self.theirs.load_state_dict(state)
        self.untouched = Untouched()
        self.untouched.watch("values", self.ours.values)

    def forward(self, x):
        self.x = torch.from_numpy(x.copy()).requires_grad_()
        self.y = self.theirs(self.x)
        self.same("y", self.our_forward(x), self.y, self.case.unit)

    def backward(self, dy):
        self.theirs.zero_grad()
        self.x.grad = None
        self.y.backward(torch.from_numpy(dy.copy()), retain_graph=True)
        self.same_input_gradient(self.our_backward(dy))

    def our_forward(self, x):
        x = self.untouched.watch("x", as_library(x, self.backend))
        return self.untouched.watch("y", self.ours.forward(x))

    def our_backward(self, dy):
        dy = self.untouched.watch("dy", as_library(dy, self.backend))
        return self.untouched.watch("dx", self.ours.backward(dy))

    def same_parameter_gradients(self, times=1):
        wanted = dict(self.theirs.named_parameters())
        grads = [param.grad for param in self.ours.params()]
        assert len(grads) == len(wanted)
        for grad, (name, parameter) in zip(grads, wanted.items(), strict=True):
            after = "" if times == 1 else f" after {times} times backward"
            self.same(f"dL/d{name}{after}", grad, parameter.grad * times, "array")

    def same_input_gradient(self, dx):
        ours, theirs = as_numpy(dx), as_numpy(self.x.grad)
        own_digits = np.broadcast_to(self.case.own_digits(as_numpy(self.y)), ours.shape)
        # elsewhere the measure is the largest of the array, in the next line
        self.same("dL/dx", ours, np.where(own_digits, theirs, ours), "element")
        self.same("dL/dx", ours, theirs, "array")

    def same(self, what, ours, theirs, unit):
        """Compare a result of ours with torch's, and note for the table how far apart they are."""
        __tracebackhide__ = True
        ours, theirs, tolerance = as_numpy(ours), as_numpy(theirs), self.case.ulp[self.dtype]
        self.table.record(self.case.name, self.dtype, ulps(ours, theirs, unit), tolerance)
        assert_within(tolerance, f"{self.case.name}, {self.backend}: {what} is not torch's", ours, theirs, unit)


def full_check(pair, rng, x, layout=lambda x: x):
    pair.forward(x)
    dy = layout(random(rng, tuple(pair.y.shape), pair.dtype))
    pair.backward(dy)
    pair.same_parameter_gradients()
    pair.backward(dy)
    pair.same_parameter_gradients(times=2)
    pair.our_forward(random(rng, x.shape, pair.dtype))
    pair.our_backward(random(rng, dy.shape, pair.dtype))
    pair.untouched.check()
