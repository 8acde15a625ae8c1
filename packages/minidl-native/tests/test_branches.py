"""Branches around layers: any tree of them trains and predicts as on NumPy."""

from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minidl

WIDTH = 6
LEAVES = {
    "linear": lambda rng, dtype: minidl.Linear(WIDTH, WIDTH, std_w=0.2, std_b=0.2, dtype=dtype, rng=rng),
    "tanh": lambda *_: minidl.Tanh(),  # needs its output
    "silu": lambda *_: minidl.SiLU(),  # needs its input
    "identity": lambda *_: minidl.Identity(),  # needs neither
    "dropout": lambda rng, _: minidl.Dropout(0.3, rng=rng.spawn(1)[0]),
    "layer norm": lambda _, dtype: minidl.LayerNorm(WIDTH, eps=0.1, dtype=dtype),
    "batch norm": lambda _, dtype: minidl.BatchNorm1d(WIDTH, eps=0.1, dtype=dtype),
}
leaves = st.sampled_from(sorted(LEAVES))
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=7)


def make(tree, rng, dtype="float64"):
    """Return a leaf, or for a list a branch around the chain of its items."""
    if isinstance(tree, str):
        return LEAVES[tree](rng, dtype)
    layers = [make(item, rng, dtype) for item in tree]
    return minidl.Residual(layers[0] if len(layers) == 1 else minidl.Sequential(layers))


def growth(tree):
    """Return by how much a chain of branches may grow its input: too much, and a training leaves all bounds."""
    return 1 if isinstance(tree, str) else 1 + prod(map(growth, tree))


def network(tree, rng=0, dtype="float64", *, below=True):
    rng = np.random.default_rng(rng)
    ends = [minidl.Linear(3, WIDTH, dtype=dtype, rng=rng)] * below, [minidl.Linear(WIDTH, 2, dtype=dtype, rng=rng)]
    return minidl.Sequential([*ends[0], *(make(item, rng, dtype) for item in tree), *ends[1]])


def samples(n, inputs=3, outputs=2):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, inputs)), rng.standard_normal((n, outputs))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    tree=st.lists(trees, min_size=1, max_size=3),
    frozen=st.lists(st.booleans(), max_size=12),
    below=st.booleans(),
    replicates=st.sampled_from([0, 0, 2]),
)
def test_any_tree(trained, tree, frozen, below, replicates):
    assume(prod(map(growth, tree)) < 20)
    x, y = samples(16, 3 if below else WIDTH)

    def build(rng):
        model = network(tree, rng, below=below)
        for module, is_frozen in zip(filter(_has_parameters, model.modules()), frozen, strict=False):
            if is_frozen and module is not model[-1]:
                module.freeze()
        return model

    single = lambda: build(0)  # noqa: E731 - as short as its formula
    several = lambda: minidl.replicate(build, range(replicates))  # noqa: E731 - as short as its formula
    descent = lambda model: minidl.SGD(model, 1e-3, momentum=0.5)  # noqa: E731 - as short as its formula
    sides = trained.both(several if replicates else single, minidl.MSELoss("mean"), descent, x, y, epochs=2)
    trained.assert_alike(sides)


def _has_parameters(module):
    return isinstance(module, minidl.Linear | minidl.LayerNorm | minidl.BatchNorm1d)


SOME = ("dropout", [["tanh", ["identity"], []], "linear", "batch norm"], [[]], ["linear"], "tanh")


@pytest.mark.parametrize("n", [0, 1, 4, 5, 129, 300])
def test_any_number_of_rows(trained, isa, dtype, n):
    model = network(SOME, dtype=dtype)
    x = samples(n)[0].astype(dtype)
    measured = [module.statistics for module in model.modules() if module.statistics]
    y = trained.network_of(model, isa).predict(model.values, x, statistics=measured)
    close = {"rtol": 1e-12, "atol": 1e-14} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(y, model.infer(x), **close)


@pytest.mark.parametrize("n", [1, 30])
def test_replicates_predict(n):
    model = minidl.replicate(lambda rng: network(SOME, rng), range(3))
    x = np.random.default_rng(1).standard_normal((3, n, 3))
    np.testing.assert_allclose(minidl.predict(model, x, engine="native"), model.infer(x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("inner", [["linear"], ["tanh", "linear"], [["linear"]], ["linear", "tanh"]])
def test_a_branch_around_the_whole_network(trained, inner):
    x, y = samples(16, WIDTH, WIDTH)
    build = lambda: make(inner, np.random.default_rng(0))  # noqa: E731 - as short as its formula
    trained.assert_alike(trained.both(build, minidl.MSELoss("mean"), lambda model: minidl.Adam(model, 0.01), x, y))


def test_a_deep_chain_of_branches(trained):
    x, y = samples(40)
    build = lambda: network([["layer norm", "linear", "tanh"]] * 12)  # noqa: E731 - as short as its formula
    sides = trained.both(build, minidl.MSELoss("mean"), lambda model: minidl.Adam(model, 1e-3), x, y, epochs=5)
    trained.assert_alike(sides)


def test_what_runs_is_said():
    model = network(SOME)
    assert minidl.summary(model).endswith("engine: native")
    two = minidl.Concat([minidl.Linear(3, 1, rng=0), minidl.Linear(3, 1, rng=1)])
    model = minidl.Sequential([two, minidl.Residual(minidl.Tanh())])
    assert minidl.summary(model).endswith("engine: numpy (layers[0]: Concat is not a layer that it knows)")
    model = minidl.Residual(
        minidl.Sequential([minidl.Concat([minidl.Linear(2, 1, rng=0), minidl.Linear(2, 1, rng=1)])])
    )
    assert minidl.summary(model).endswith("(layers[inner.0]: Concat is not a layer that it knows)")
