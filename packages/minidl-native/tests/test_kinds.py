"""Every kind that the engine has, behind and before every other, trains as on NumPy; a kind that lies is found out.

The lists come from the engine itself, so a new kind is tested here without a change.
"""

import inspect
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl
from minidl_native import KINDS
from minidl_native.kinds import FACTS

# Settings that a test finds more in than in the defaults; a kind that is not here has its defaults.
SETTINGS = {
    "LeakyReLU": {"alpha": -0.4},
    "Dropout": {"p_drop": 0.3},
    "Linear": {"std_b": 0.3},
    "ELU": {"alpha": 0.7},
    "Softplus": {"beta": 1.5},
    "LayerNorm": {"eps": 0.1},
    "BatchNorm1d": {"eps": 0.1, "momentum": 0.4},
}
LOSSES = {
    "HuberLoss": {"delta": 0.3},
    "QuantileLoss": {"quantiles": [0.2, 0.7]},
    "BCEWithLogitsLoss": {"pos_weight": 2.5, "ceiling": 0.8},
    "CrossEntropyLoss": {"label_smoothing": 0.1, "ceiling": 0.8},
}
OPTIMIZERS = {
    "SGD": {"momentum": 0.7, "nesterov": True, "weight_decay": 0.01},
    # Without a larger eps, steps are as long as the learning rate or longer, even where a gradient is rounding noise,
    # as it is below a LayerNorm of one feature, and for a bias below a BatchNorm1d.
    "RMSprop": {"alpha": 0.9, "eps": 1e-3, "momentum": 0.7, "weight_decay": 0.01},
    "Adam": {"eps": 1e-3, "weight_decay": 0.01},
    "AdamW": {"eps": 1e-3, "eps_hat": True},
}
COMMON = {"clip": 0.3, "decay_biases": False}  # of every optimizer


def layer(kind, rng, below, above=None):
    options = dict(SETTINGS.get(kind, {}))
    if kind == "Linear":
        return minidl.Linear(below, above or below, dtype="float64", rng=rng, **options)
    accepted = inspect.signature(getattr(minidl, kind)).parameters
    given = {"features": below, "dtype": "float64", "rng": rng}
    if "inner" in accepted:
        given["inner"] = minidl.Sequential([minidl.Tanh(), layer("Linear", rng, below)])
    return getattr(minidl, kind)(**options, **{name: value for name, value in given.items() if name in accepted})


def chain(kinds, rng, inputs=5, width=6, outputs=3, last=()):
    """Build a network of these kinds between two Linear, and `last` behind those."""
    middle = [layer(kind, rng, width) for kind in kinds]
    ends = layer("Linear", rng, inputs, width), layer("Linear", rng, width, outputs)
    return minidl.Sequential([ends[0], *middle, ends[1], *(layer(kind, rng, outputs) for kind in last)])


def samples(n, inputs=5, outputs=3, seed=1):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, inputs)), rng.random((n, outputs)) + 0.1
    return x, y / y.sum(-1, keepdims=True)


def optimizer_of(kind, lr, **options):
    return lambda model: getattr(minidl, kind)(model, lr, **OPTIMIZERS.get(kind, {}), **options)


@pytest.mark.parametrize("replicates", [0, 2])
@pytest.mark.parametrize(("below", "above"), list(product(KINDS.layers, repeat=2)))
def test_every_pair(trained, below, above, replicates):
    x, y = samples(20)
    build = lambda rng: chain((below, above), np.random.default_rng(rng))  # noqa: E731 - as short as its formula
    make = (lambda: minidl.replicate(build, range(replicates))) if replicates else (lambda: build(0))
    trained.assert_alike(trained.both(make, minidl.MSELoss("mean"), optimizer_of("SGD", 0.01), x, y))


@pytest.mark.parametrize("kind", list(KINDS.layers))
def test_every_kind_alone_on_top_and_at_the_bottom(trained, kind):
    x, y = samples(20)

    def build():
        rng = np.random.default_rng(0)
        return minidl.Sequential([layer(kind, rng, 5), layer("Linear", rng, 5, 3), layer(kind, rng, 3)])

    trained.assert_alike(trained.both(build, minidl.MSELoss("mean"), optimizer_of("SGD", 0.01), x, y))


@pytest.mark.parametrize(
    ("kind", "name", "word"),
    [(kind, KINDS.layers[kind][0], word) for kind, facts in FACTS["layers"].items() for word in facts["words"]],
)
@pytest.mark.parametrize("replicates", [0, 2])
def test_every_word(trained, kind, name, word, replicates):
    x, y = samples(20)

    def build(rng):
        rng = np.random.default_rng(rng)
        middle = getattr(minidl, kind)(**{name: word})
        return minidl.Sequential([layer("Linear", rng, 5, 6), middle, layer("Linear", rng, 6, 3)])

    make = (lambda: minidl.replicate(build, range(replicates))) if replicates else (lambda: build(0))
    trained.assert_alike(trained.both(make, minidl.MSELoss("mean"), optimizer_of("SGD", 0.01), x, y))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS.layers)), max_size=6),
    loss=st.sampled_from(sorted(KINDS.losses)),
    reduction=st.sampled_from(["sum", "mean", "batchmean"]),
    optimizer=st.sampled_from(sorted(KINDS.optimizers)),
    widths=st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 5)),
    replicates=st.sampled_from([0, 0, 3]),
    common=st.booleans(),
    frozen=st.booleans(),
    batches=st.tuples(st.integers(1, 30), st.integers(1, 32)),
    extras=st.tuples(st.booleans(), st.sampled_from([0.0, 0.0, 0.3])),
    seed=st.integers(0, 2**32),
)
def test_any_chain(
    trained, kinds, loss, reduction, optimizer, widths, replicates, common, frozen, batches, extras, seed
):
    (inputs, width, outputs), (n, batch_size), (weighted, l2) = widths, batches, extras
    if "BatchNorm1d" in kinds:  # which refuses a batch of one sample
        batch_size = max(batch_size, 2)
        n += n % batch_size == 1
    cost = getattr(minidl, loss)(reduction, **LOSSES.get(loss, {}))
    if not cost.one_output_per_target:
        outputs *= 2
    x, y = samples(n, inputs, cost.target_shape((n, outputs))[-1], seed)
    weight = np.random.default_rng(seed).integers(0, 3, n) / 4 if weighted else None  # whose sums are exact
    if weighted:
        weight[0] = 1

    def build(rng):
        last = ["Sigmoid"] if loss == "BCELoss" else []
        network = chain(kinds, np.random.default_rng(rng), inputs, width, outputs, last)
        if frozen:
            network[0].freeze()
        return network

    make = (lambda: minidl.replicate(build, range(seed, seed + replicates))) if replicates else (lambda: build(seed))
    lr = 1e-5 if optimizer == "SGD" else 1e-3
    if "NLL" in loss:  # whose gradients are exponentials of outputs
        lr *= 1e-6
    options = {"epochs": 2, "batch_size": batch_size, "weight": weight, "l2": l2}
    descent = optimizer_of(optimizer, lr, **(COMMON if common else {}))
    trained.assert_alike(trained.both(make, cost, descent, x, y, **options))


ENGINE = Path(__file__).parents[1]
FAULT = """struct Tanh : Activation {
  static constexpr const char* name = "Tanh";
"""


def can_build():
    compiler = shutil.which(os.environ.get("CXX", "c++").split()[0])
    return compiler and all(map(find_spec, ("pip", "scikit_build_core"))) and (ENGINE / "engine").is_dir()


@pytest.mark.slow
@pytest.mark.skipif(not can_build(), reason="needs the engine's source, a C++ compiler and scikit-build-core")
def test_a_kind_that_keeps_too_little_is_found_out(tmp_path):
    """Build an engine whose Tanh says that it does not need its output, and see the test of pairs fail for it."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(ENGINE, source, ignore=shutil.ignore_patterns("tests", "build", "__pycache__"))
    activations = source / "engine" / "kernel" / "activations.hpp"
    text = activations.read_text("utf-8")
    assert text.count(FAULT) == 1
    activations.write_text(text.replace(FAULT, f"{FAULT}  static constexpr bool needs_output = false;\n"), "utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    pip += ["--config-settings=cmake.define.MINIDL_OPTIMIZE=-O0"]  # which takes half as long, and computes the same
    subprocess.run([*pip, f"--target={installed}", str(source)], check=True, capture_output=True)  # noqa: S603 - ours
    for engine, failing in ((installed, True), (None, False)):
        paths = [*([str(engine)] if engine else []), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
        done = subprocess.run(  # noqa: S603 - our own tests
            [*pytest_, __file__, "-k", "test_every_pair and Tanh"],
            capture_output=True, text=True, check=False, env=environment, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == int(failing), done.stdout
        assert ("-Tanh-" in done.stdout) is failing
