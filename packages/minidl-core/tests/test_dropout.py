"""Dropout: whose mask, how large, and when nothing is drawn."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)


class Untouchable(np.random.Generator):
    """A generator that may be held but not used."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def random(self, *_args, **_options):
        raise AssertionError("nothing may be drawn here")


class Half(Untouchable):
    """A generator that always draws a half."""

    def random(self, size, dtype):
        return np.full(size, 0.5, dtype)


@quick
@given(shape=array_shapes(max_dims=3, max_side=5), p=st.sampled_from([0.1, 0.5, 0.9]), seed=st.integers(0, 99))
def test_a_unit_is_zero_or_scaled_forward_and_backward(shape, p, seed):
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal(shape), rng.standard_normal(shape)
    dropout = minidl.Dropout(p, rng=seed)
    for mask in [
        generator.random(shape, np.float32) >= p for generator in [np.random.default_rng(seed)] for _ in range(3)
    ]:
        np.testing.assert_array_equal(dropout(x), np.where(mask, x * (1 / (1 - p)), 0))
        np.testing.assert_array_equal(dropout.backward(dy), np.where(mask, dy * (1 / (1 - p)), 0))


@quick
@given(shape=array_shapes(max_dims=3, max_side=5), p=st.sampled_from([0, 0.3, 1]), seed=st.integers(0, 99))
def test_gradients_agree_with_differences(shape, p, seed):
    rng = np.random.default_rng(seed)
    minidl.gradcheck(minidl.Dropout(p, rng=rng), rng.standard_normal(shape), rng=rng)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_share_dropped_is_p_and_the_mean_stays(p):
    n = 100_000
    y = minidl.Dropout(p, rng=0)(np.ones((n // 10, 10)))
    sigma = np.sqrt(p * (1 - p) / n)
    assert abs((y == 0).mean() - p) < 5 * sigma
    assert abs(y.mean() - 1) < 5 * sigma / (1 - p)


def test_the_default_drops_half():
    assert minidl.Dropout().p_drop == 0.5
    assert minidl.Dropout(0.2).options() == {"p_drop": 0.2}
    assert repr(minidl.Dropout(0.2)) == "Dropout(p_drop=0.2)"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_seed_drops_the_same_units_in_every_dtype(dtype):
    y, single = (minidl.Dropout(0.3, rng=4)(np.ones((50, 50), kind)) for kind in (dtype, "float32"))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y == 0, single == 0)


def test_what_is_drawn_below_p_is_dropped_and_p_itself_is_not():
    # of the numbers drawn, k / 2**24 from 0 up, the share below p is p
    assert minidl.Dropout(0.5, rng=Half())(np.ones(3)).tolist() == [2, 2, 2]
    assert minidl.Dropout(0.5 + 1e-7, rng=Half())(np.ones(3)).tolist() == [0, 0, 0]


def test_every_forward_draws_anew(rng):
    dropout, x = minidl.Dropout(rng=rng), np.ones((10, 10))
    masks = {dropout(x).tobytes() for _ in range(5)}
    assert len(masks) == 5


@pytest.mark.parametrize(
    ("dropout", "method"),
    [
        (minidl.Dropout(0.5, rng=Untouchable()).eval(), "forward"),
        (minidl.Dropout(0.0, rng=Untouchable()), "forward"),
        (minidl.Dropout(0.5, rng=Untouchable()), "infer"),
    ],
    ids=["eval", "p=0", "infer"],
)
def test_nothing_is_drawn_and_all_is_passed_on(dropout, method, rng):
    x = rng.standard_normal((4, 3))
    np.testing.assert_array_equal(getattr(dropout, method)(x), x)
    if method == "forward":
        np.testing.assert_array_equal(dropout.backward(x + 1), x + 1)


def test_the_untouchable_generator_does_raise():
    with pytest.raises(AssertionError, match="nothing may be drawn"):
        minidl.Dropout(rng=Untouchable())(np.ones(3))


def test_dropping_all_leaves_zeros(rng):
    dropout = minidl.Dropout(1, rng=rng)
    assert not dropout(rng.standard_normal((4, 3))).any()
    assert not dropout.backward(rng.standard_normal((4, 3))).any()


def test_the_mask_of_training_stays_for_backward_in_evaluation(rng):
    dropout, x = minidl.Dropout(0.5, rng=0), rng.standard_normal((10, 10))
    y = dropout(x)
    dropout.eval()
    dropout.infer(x)
    np.testing.assert_array_equal(dropout.backward(x), y)
    dropout(x)
    np.testing.assert_array_equal(dropout.train().backward(x), x)


def test_inputs_are_not_written_to_and_outputs_not_overwritten(rng, unchanged):
    dropout, x = minidl.Dropout(0.5, rng=0), rng.standard_normal((2, 4, 3))
    x.flags.writeable = False
    y, dx = dropout(x[0]), dropout.backward(x[1])
    with unchanged(y, dx):
        dropout(x[1])
        dropout.backward(x[0])


@pytest.mark.parametrize(("shared", "between"), [(True, ()), (False, ()), (False, (2,))])
@pytest.mark.parametrize("replicates", [2, 3])
def test_replicates_draw_as_they_would_alone(rng, shared, between, replicates):
    model = minidl.replicate(lambda rng: minidl.Dropout(0.4, rng=rng), range(replicates))
    singles = [minidl.Dropout(0.4, rng=seed) for seed in range(replicates)]
    for _ in range(2):
        x = rng.standard_normal((*(() if shared else (replicates,)), *between, 5, 4))
        y = model(x)
        dy = rng.standard_normal(y.shape)
        dx = model.backward(dy)
        for r, single in enumerate(singles):
            np.testing.assert_array_equal(y[r], single(x if shared else x[r]))
            np.testing.assert_array_equal(dx[r], single.backward(dy[r]))


def test_a_copied_generator_goes_its_own_way(rng):
    dropout = minidl.Dropout(rng=rng)
    twin, x = copy.deepcopy(dropout), np.ones((10, 10))
    first = dropout(x)
    np.testing.assert_array_equal(twin(x), first)
    assert (dropout(x) != first).any()
