"""Replicates may differ in every number: each is still the single network of its seed and its settings."""

import numpy as np
import pytest

import minidl

SEEDS = (3, 1, 4)
SAME = minidl.Tanh()


def builder(p_drops=(0.3,) * 3, alphas=(0.1,) * 3, rates=(0.1,) * 3):
    """Return a build function whose r-th call takes the r-th of each setting."""
    settings = iter(zip(p_drops, alphas, rates, strict=True))

    def build(rng):
        p_drop, alpha, lr = next(settings)
        return minidl.Sequential(
            [
                minidl.Linear(3, 8, std_b=1, lr=lr, dtype="float64", rng=rng),
                minidl.LeakyReLU(alpha),
                minidl.Dropout(p_drop, rng=rng),
                minidl.Linear(8, 2, lr=0.01, dtype="float64", rng=rng),
                minidl.Dropout(0.5, rng=rng),  # shows what the first has drawn
            ],
        )

    return build


@pytest.mark.parametrize(
    "settings",
    [
        {"p_drops": (0.1, 0.5, 0.9)},
        {"p_drops": (0, 0.5, 1)},  # where p_drop is 0 alone, nothing is drawn
        {"alphas": (0, 0.2, -1)},
        {"rates": (0.1, 0.01, 0)},
    ],
    ids=["p_drop", "p_drop at its ends", "alpha", "lr"],
)
@pytest.mark.parametrize("shape", [(6, 3), (3, 6, 3), (3, 2, 6, 3)], ids=["shared", "own", "leading axis"])
def test_a_training_is_that_of_each_alone(settings, shape, rng):
    model = minidl.replicate(builder(**settings), SEEDS)
    build = builder(**settings)
    singles = [build(np.random.default_rng(seed)) for seed in SEEDS]
    for _ in range(3):
        x = rng.standard_normal(shape)
        y = model(x)
        dy = rng.standard_normal(y.shape)
        dx, idle = model.backward(dy), model.infer(x)
        for r, single in enumerate(singles):
            own = x if len(shape) == 2 else x[r]
            for ours, alone in ((y[r], single(own)), (dx[r], single.backward(dy[r])), (idle[r], single.infer(own))):
                np.testing.assert_allclose(ours, alone, rtol=1e-9, atol=1e-12)  # sums in another order
            single.update()
        model.update()
        np.testing.assert_allclose(model.values, [single.values for single in singles], rtol=1e-9, atol=1e-12)


def test_gradients_agree_with_differences(rng):
    model = minidl.replicate(builder((0, 0.5, 1), (0, 0.2, -1)), SEEDS)
    minidl.gradcheck(model, rng.standard_normal((3, 4, 3)), rng=rng)


def test_settings_are_numbers_where_they_agree_and_tuples_in_the_spec_where_not():
    model = minidl.replicate(builder((0.1, 0.5, 0.9)), SEEDS)
    assert model[1].alpha == 0.1
    np.testing.assert_array_equal(model[2].p_drop, [0.1, 0.5, 0.9])
    options = [dict(record.options) for record in model.spec()]
    assert options == [{"lr": 0.1}, {"alpha": 0.1}, {"p_drop": (0.1, 0.5, 0.9)}, {"lr": 0.01}, {"p_drop": 0.5}]
    assert hash(model.spec())
    assert repr(model[2]) == "Dropout(p_drop=(0.1, 0.5, 0.9))"


def test_whole_numbers_become_an_array_of_floats():
    class Gain(minidl.Tanh):
        settings = ("gain",)

        def __init__(self, gain):
            super().__init__()
            self.gain = gain

    gains = iter([1, 2, 4])
    model = minidl.replicate(lambda _: Gain(next(gains)), SEEDS)
    assert (model.gain.dtype, model.gain.tolist()) == (np.float64, [1, 2, 4])


def test_apart_each_has_its_own():
    singles = minidl.unstack(minidl.replicate(builder((0.1, 0.5, 0.9), (1, 2, 3), (4, 5, 6)), SEEDS))
    own = [(single[2].p_drop, single[1].alpha, single[0].lr) for single in singles]
    assert own == [(0.1, 1, 4), (0.5, 2, 5), (0.9, 3, 6)]
    build = builder((0.1, 0.5, 0.9), (1, 2, 3), (4, 5, 6))
    assert [single.spec() for single in singles] == [build(np.random.default_rng(0)).spec() for _ in SEEDS]


@pytest.mark.parametrize(
    "builds",
    [
        [lambda: minidl.Linear(2, 3), lambda: minidl.Linear(3, 2)],
        [lambda: minidl.Linear(2, 3), lambda: minidl.Linear(2, 3, bias=False)],
        [lambda: minidl.Linear(2, 3), lambda: minidl.Linear(2, 3, lr=0.1)],
        [lambda: minidl.Linear(2, 3), lambda: minidl.Linear(2, 3, dtype="float64")],
        [lambda: minidl.Sequential([minidl.Tanh()]), lambda: minidl.Sequential([minidl.ReLU()])],
    ],
    ids=["widths", "bias", "a rate or none", "dtype", "layers"],
)
def test_networks_of_different_layers_are_refused(builds):
    turns = iter(builds)
    with pytest.raises(ValueError, match="replicate: network 1 differs from network 0"):
        minidl.replicate(lambda _: next(turns)(), range(2))


@pytest.mark.parametrize(
    ("build", "rngs", "error", "words"),
    [
        (minidl.Linear, 3, TypeError, r"one rng per replicate, such as range\(10\), got 3"),
        (minidl.Linear, np.random.default_rng(0), TypeError, "one rng per replicate"),
        (lambda _: minidl.Tanh(), [], ValueError, "at least one rng, got none"),
        (lambda _: None, range(2), TypeError, "return a Module, got NoneType"),
        (lambda _: minidl.Tanh(), [0, -1], ValueError, "expected rng to be .*, got -1"),
        (lambda _: minidl.replicate(lambda _: minidl.Tanh(), range(2)), range(2), ValueError, r"got replicates \(2,\)"),
        (lambda _: SAME, range(2), ValueError, "got the same one twice"),
    ],
)
def test_what_cannot_be_replicated_is_refused(build, rngs, error, words):
    with pytest.raises(error, match=f"replicate: .*{words}"):
        minidl.replicate(build, rngs)


def test_a_single_network_cannot_be_taken_apart():
    with pytest.raises(ValueError, match=r"unstack: Linear\(2 -> 3\): expected a replicated module, got a single one"):
        minidl.unstack(minidl.Linear(2, 3))
