"""What the tests share: networks to test on, differences to compare with, and a guard that nothing changes."""

from contextlib import contextmanager

import numpy as np
import pytest

import minidl


def freeze(thing):
    """Return the content of arrays, tensors, generators, modules, optimizers and losses, down to the bits."""
    match thing:
        case np.ndarray():
            frozen = thing.dtype, thing.shape, thing.tobytes()
        case np.random.Generator():
            frozen = thing.bit_generator.state
        case dict():
            frozen = {name: freeze(value) for name, value in thing.items()}
        case list() | tuple():
            frozen = [freeze(value) for value in thing]
        case set():
            frozen = set(thing)
        case minidl.Module() | minidl.Optimizer() | minidl.Loss() | minidl.ParamBuffer() | minidl.History():
            frozen = freeze({name: value for name, value in vars(thing).items() if name != "compiled"})  # a cache
        case _ if hasattr(thing, "detach"):  # a tensor, whether or not torch is there to ask
            frozen = str(thing.dtype), str(thing.device), thing.requires_grad, freeze(thing.detach().cpu().numpy())
        case _:
            frozen = thing
    return frozen


@pytest.fixture(scope="session")
def unchanged():
    """Return a context manager that fails if any of its arguments is another at the end."""

    @contextmanager
    def guard(*things):
        before = freeze(things)
        yield
        assert freeze(things) == before

    return guard


@pytest.fixture(scope="session")
def differences():
    """Return a function: the gradient of a scalar function at a float64 point, by central differences."""

    def gradient(function, point, eps=1e-6):
        slopes = np.empty_like(point)
        for index in np.ndindex(point.shape):
            step = np.zeros_like(point)
            step[index] = eps
            slopes[index] = (function(point + step) - function(point - step)) / (2 * eps)
        return slopes

    return gradient


@pytest.fixture(scope="session")
def network():
    """Return a function that builds a small network with one layer of every kind, one of them nested."""

    def build(rng=0, dtype="float32", p_drop=0.25, **options):
        rng = np.random.default_rng(rng)
        inner = [minidl.Linear(5, 4, bias=False, dtype=dtype, rng=rng), minidl.Tanh(), minidl.Dropout(p_drop, rng=rng)]
        return minidl.Sequential(
            [
                minidl.Linear(3, 5, std_b=0.1, dtype=dtype, rng=rng, **options),
                minidl.LeakyReLU(0.1),
                minidl.Sequential(inner),
                minidl.ReLU(),
                minidl.Linear(4, 2, std_b=0.1, dtype=dtype, rng=rng, **options),
                minidl.Sigmoid(),
            ],
        )

    return build


NO_FLOATS = {
    "int64": np.ones((4, 3), np.int64),
    "uint8": np.ones((4, 3), np.uint8),
    "bool": np.ones((4, 3), bool),
    "complex128": np.ones((4, 3), complex),
    "object": np.ones((4, 3), object),
    "list": [[1.0, 2.0, 3.0]],
    "float": 1.0,
    "NoneType": None,
    "MaskedArray": np.ma.ones((4, 3)),
    "matrix": np.ones((4, 3)).view(np.matrix),
}


@pytest.fixture(params=NO_FLOATS.items(), ids=NO_FLOATS)
def no_float(request):
    """Return the name and an example of everything that is no floating array."""
    return request.param


@pytest.fixture
def rng():
    """Return a generator, the same for every test."""
    return np.random.default_rng(0)


@pytest.fixture
def samples(rng):
    """Return inputs (6, 3) and targets (6, 2) in float32 for `network`."""
    return rng.standard_normal((6, 3)).astype(np.float32), rng.random((6, 2)).astype(np.float32)
