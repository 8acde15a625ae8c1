"""What modules must refuse, on both libraries: the error says who, what was expected and what came."""

import numpy as np
import pytest
import torch

from conformance.arrays import BACKENDS, as_library, as_numpy, bits, random
from conformance.module_cases import MODULES, Bad

CASES = [case for case in MODULES if case.name != "Sequential of none"]
by_backend = pytest.mark.parametrize("backend", BACKENDS)


def cast(x, dtype):
    return x.to(getattr(torch, dtype)) if isinstance(x, torch.Tensor) else x.astype(dtype)


def as_leaf(x):
    return torch.from_numpy(as_numpy(x)).requires_grad_()


def common_bad(case):
    name, width = case.name.split()[0], case.ours("float64", "numpy").out_features or case.features
    last, shape = ("Linear" if name == "Sequential" else name), f"(7, {width})"  # refuses dy
    name = "Linear" if name in {"Sequential", "Residual", "Concat"} else name  # refuses x
    f64, f32 = (last, "float64"), "float32"
    yield Bad("integers", lambda m, x, _y: m.forward(cast(x, "int64")), TypeError, (name, "float", "int64"))
    yield Bad("complex numbers", lambda m, x, _y: m.forward(cast(x, "complex128")), TypeError, (name, "complex128"))
    yield Bad("a list", lambda m, x, _y: m.forward(x.tolist()), TypeError, (name, "list"))
    yield Bad("dy of another shape", lambda m, _x, y: m.backward(y[:3]), ValueError, (last, shape, "(3, "))
    yield Bad("dy of another dtype", lambda m, _x, y: m.backward(cast(y, f32)), TypeError, (*f64, f32))
    yield Bad("a tensor that requires grad", lambda m, x, _y: m.forward(as_leaf(x)), TypeError, (name, "detach"))
    yield from case.bad


def state(module):
    """Return, down to the bits, what an error leaves alone: numbers, mode, generators, what is saved for backward."""
    return [bits(module.values), bits(module.grads)] + [
        (one.training, [rng.bit_generator.state for rng in one.generators], saved(one._saved))
        for one in module.modules()
    ]


def saved(thing):
    if isinstance(thing, tuple):
        return [saved(part) for part in thing]
    return bits(thing) if hasattr(thing, "dtype") else thing


@by_backend
@pytest.mark.parametrize(
    ("case", "bad"), [pytest.param(case, bad, id=f"{case}-{bad.what}") for case in CASES for bad in common_bad(case)]
)
def test_bad_input_is_refused(case, bad, backend, rng):
    module, x = case.ours("float64", backend), as_library(random(rng, (7, case.features), "float64"), backend)
    y = module.forward(x)
    module.backward(y)
    before = state(module)
    with pytest.raises(bad.error) as caught:
        bad.act(module, x, y)
    told = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert all(word in told for word in bad.words), told
    assert state(module) == before


@by_backend
@pytest.mark.parametrize("case", CASES, ids=str)
def test_backward_needs_forward(case, backend):
    with pytest.raises(ValueError, match=r"backward before forward: call forward\(x\) first"):
        case.ours("float64", backend).backward(as_library(np.zeros((7, 3)), backend))


@by_backend
def test_arrays_of_the_other_library_are_refused(backend, rng):
    case = next(case for case in MODULES if case.name == "Linear")
    x = as_library(random(rng, (7, 5), "float64"), "torch" if backend == "numpy" else "numpy")
    with pytest.raises(TypeError, match=r"Linear\(5 -> 3\): expected x in the library and dtype of the parameters"):
        case.ours("float64", backend).forward(x)
