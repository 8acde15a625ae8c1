"""What the tests of other formats share: networks of random numbers, inputs, and a comparison in ulp."""

import numpy as np
import pytest

import minidl


@pytest.fixture(scope="session")
def assert_close():
    """Return a function that compares two outputs, in units in the last place of the largest number of the second."""

    def check(ours, theirs, ulps=4):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        unit = np.spacing(np.abs(theirs).max())
        distance = np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max() / unit
        assert distance <= ulps

    return check


@pytest.fixture
def spread_out(rng):
    """Return a function (dtype, count): rows of three numbers that differ.

    Of a row of nearly equal numbers LayerNorm magnifies every rounding.
    """

    def draw(dtype, count=50):
        rows = rng.permuted(np.tile([-1.0, 0.1, 1.2], (count, 1)), axis=1) + 0.3 * rng.standard_normal((count, 3))
        return (rows * rng.uniform(0.5, 4, (count, 1))).astype(dtype)

    return draw


def fill(model, seed=2):
    """Set all parameters and statistics of a network to random numbers, and return it."""
    rng, state = np.random.default_rng(seed), model.state_dict()
    for name, array in state.items():
        lowest = 0.5 if "running_var" in name else -0.5
        state[name] = (rng.random(array.shape) + lowest).astype(array.dtype) if array.dtype.kind == "f" else array + 7
    model.load_state_dict(state)
    return model


@pytest.fixture(scope="session")
def trained():
    """Return a function (build, dtype): a network of random numbers, running statistics included."""
    return lambda build, dtype, seed=2: fill(build(dtype, rng=1), seed)


def behind_identity(layer, dtype):
    """Return a layer behind a Linear that hands on the first 3 numbers as they are, so that the width is known."""
    first = minidl.Linear(3, 3, dtype=dtype, std_w=0)
    first.weight = np.eye(3, dtype=dtype)
    return minidl.Sequential([first, layer])


@pytest.fixture(scope="session")
def alone(trained):
    """Return a function (build, dtype): one layer of random numbers, behind a Linear that changes nothing."""
    return lambda build, dtype: behind_identity(trained(build, dtype), dtype)


@pytest.fixture(scope="session")
def lacking():
    """Return a function (kind, known, write): whether a format does not have a kind, in which case `write` names it."""

    def check(kind, known, write):
        if kind in known:
            return False
        with pytest.raises(ValueError, match=f"{kind}.* cannot be exported"):
            write()
        return True

    return check


@pytest.fixture(scope="session")
def every_kind():
    """Return a function (dtype, rng): a network with all that can be in one, nested."""

    def build(dtype="float32", rng=0):
        rng, options = np.random.default_rng(rng), {"dtype": dtype}
        inner = [minidl.Linear(5, 4, rng=rng, **options), minidl.ELU(0.5), minidl.Linear(4, 5, rng=rng, **options)]
        branches = [
            minidl.Sequential([minidl.LayerNorm(5, **options), minidl.SiLU()]),
            minidl.Residual(minidl.Softplus(2)),
            minidl.Linear(5, 2, bias=False, rng=rng, **options),
            minidl.Identity(),
        ]
        layers = [
            minidl.Linear(3, 5, rng=rng, **options),
            minidl.BatchNorm1d(5, **options),
            minidl.Sequential([minidl.LeakyReLU(0.2), minidl.Dropout(0.3, rng=rng)]),
            minidl.Residual(minidl.Sequential(inner)),
            minidl.Concat(branches),
            minidl.Residual(minidl.Residual(minidl.Tanh())),
            minidl.Linear(17, 2, rng=rng, **options),
            minidl.GELU(),
        ]
        return fill(minidl.Sequential(layers))

    return build
