"""What the tests share: every public kind, networks, differences to compare with, a guard that nothing changes."""

import inspect
import signal
from contextlib import contextmanager

import numpy as np
import pytest

import minidl

CACHES = {"compiled", "ranges"}


def pytest_configure():
    # A shell starts background jobs with Ctrl-C ignored; the tests that interrupt a training would wait in vain.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
            frozen = freeze({name: value for name, value in vars(thing).items() if name not in CACHES})
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


def public(base):
    """Return the public classes of a kind that can be built, by their names."""
    kinds = ((name, getattr(minidl, name)) for name in minidl.__all__)
    classes = {name: kind for name, kind in kinds if inspect.isclass(kind) and issubclass(kind, base)}
    return {name: kind for name, kind in classes.items() if not inspect.isabstract(kind)}


WIDTH = 3
# What a constructor of a layer may require, by the name of the parameter. All else has a default or is refused below.
REQUIRED = {
    "in_features": lambda **_: WIDTH,
    "out_features": lambda **_: 2,
    "features": lambda **_: WIDTH,
    "inner": lambda **options: minidl.Sequential([minidl.Linear(WIDTH, WIDTH, **options), minidl.Tanh()]),
    "branches": lambda **options: [minidl.Linear(WIDTH, 2, **options), minidl.Sigmoid()],
}


def build(kind, dtype="float32", rng=None, **options):
    """Build a layer of any public class for inputs of width 3, as its signature asks for."""
    given = {"dtype": dtype, "rng": rng, "std_b": 1, **options}
    parameters = inspect.signature(kind).parameters
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    unknown = [name for name in required if name not in REQUIRED]
    assert not unknown, f"{kind.__name__} requires {unknown}: say in REQUIRED what the tests shall give it"
    arguments = [REQUIRED[name](dtype=dtype, rng=rng) for name in required]
    return kind(*arguments, **{n: v for n, v in given.items() if n in parameters})


def several_layers(dtype, rng):
    layers = [minidl.Linear(WIDTH, 4, std_b=1, dtype=dtype, rng=rng), minidl.Tanh(), minidl.Dropout(0.3, rng=rng)]
    return minidl.Sequential(
        [*layers, minidl.Sequential([minidl.LeakyReLU(0.2)]), minidl.Linear(4, 2, dtype=dtype, rng=rng)]
    )


def maker(kind, **options):
    return lambda dtype="float32", rng=None: build(kind, dtype, rng, **options)


CONTAINERS = {"Residual": maker(minidl.Residual), "Concat": maker(minidl.Concat), "Sequential": several_layers}
KINDS = {name: kind for name, kind in public(minidl.Module).items() if name not in CONTAINERS}
LAYERS = {name: maker(kind) for name, kind in KINDS.items()} | {
    "Linear without bias": lambda dtype="float32", rng=None: minidl.Linear(WIDTH, 2, bias=False, dtype=dtype, rng=rng),
    "LeakyReLU of steep slope": maker(minidl.LeakyReLU, alpha=0.3),
    "ELU of another limit": maker(minidl.ELU, alpha=0.3),
    "Softplus of a sharper corner": maker(minidl.Softplus, beta=2),
    "GELU by tanh": maker(minidl.GELU, approximate="tanh"),
    "Dropout in evaluation": lambda dtype="float32", rng=None: build(minidl.Dropout, dtype, rng).eval(),
    "BatchNorm1d in evaluation": lambda dtype="float32", rng=None: build(minidl.BatchNorm1d, dtype, rng).eval(),
}
# In training a batch norm refuses batches of one sample, which most tests of all modules take as well.
LEFT_OUT = {"Dropout in evaluation", "BatchNorm1d"}
MODULES = {name: make for name, make in LAYERS.items() if name not in LEFT_OUT} | CONTAINERS
LOSSES = public(minidl.Loss)


@pytest.fixture(scope="session", params=LAYERS.items(), ids=LAYERS)
def every_layer(request):
    """Return, for each public layer, its name and a function (dtype, rng) that builds it for inputs of width 3."""
    name, make = request.param
    return name.split()[0], make


@pytest.fixture(scope="session", params=MODULES.values(), ids=MODULES)
def every_module(request):
    """Return, for each public module, a function (dtype, rng) that builds it for inputs of width 3."""
    return request.param


@pytest.fixture(scope="session", params=LOSSES.values(), ids=LOSSES)
def every_loss(request):
    """Return each public loss class."""
    return request.param


@pytest.fixture(scope="session", params=[kind for kind in LOSSES.values() if kind.one_output_per_target], ids=str)
def elementwise_loss(request):
    """Return each public loss class whose targets have the shape of its predictions."""
    return request.param


@pytest.fixture(scope="session")
def build_layer():
    """Return a function (kind, dtype, rng) that builds a layer of any public class."""
    return build


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
