"""What holds for every module and every loss, whatever shapes, dtypes, layouts in memory and values come."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)  # the same examples in every run
FLOATS = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-12}  # how far two orders of a sum may be apart
WIDTH = 3


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "reversed": lambda x: x[::-1].copy()[::-1],
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "read only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "unaligned": lambda x: np.frombuffer(b"." + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
}
axes = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple)
dtypes = st.sampled_from(list(FLOATS))
layouts = st.sampled_from(list(LAYOUTS.values()))
scales = st.sampled_from([1e-3, 1.0, 30.0])
seeds = st.integers(0, 2**32 - 1)


@quick
@given(leading=axes, scale=st.sampled_from([0.5, 3.0]), seed=seeds)
def test_gradients_agree_with_differences(every_module, leading, scale, seed):
    rng = np.random.default_rng(seed)
    x = scale * rng.standard_normal((*leading, WIDTH))
    x += np.copysign(1e-3, x)  # away from the kink at 0
    minidl.gradcheck(every_module("float64", rng), x, rng=rng, tolerance=1e-5)


@quick
@given(leading=axes, dtype=dtypes, layout=layouts, scale=scales, seed=seeds)
def test_dtype_is_kept_and_nothing_handed_in_is_written_to(
    every_module, unchanged, leading, dtype, layout, scale, seed
):
    rng = np.random.default_rng(seed)
    module = every_module(dtype, rng)
    x = layout((scale * rng.standard_normal((*leading, WIDTH))).astype(dtype))
    with unchanged(x):
        y = module(x)
        dy = layout(rng.standard_normal(y.shape).astype(dtype))
        with unchanged(y, dy):
            dx = module.backward(dy)
            idle = module.infer(x)
    assert {y.dtype, dx.dtype, idle.dtype} == {np.dtype(dtype)}
    assert dx.shape == x.shape
    assert y.shape == idle.shape == (*leading, y.shape[-1])


@quick
@given(leading=axes, dtype=dtypes, layout=layouts, seed=seeds)
def test_the_layout_in_memory_does_not_matter(every_module, leading, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((*leading, WIDTH)).astype(dtype)
    plain, other = every_module(dtype, np.random.default_rng(seed)), every_module(dtype, np.random.default_rng(seed))
    y = plain(x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    close = partial(np.testing.assert_allclose, rtol=FLOATS[dtype], atol=FLOATS[dtype])
    close(other(layout(x)), y)
    close(other.backward(layout(dy)), plain.backward(dy))
    close(other.grads, plain.grads)


@quick
@given(
    between=st.lists(st.integers(1, 3), max_size=2).map(tuple), replicates=st.integers(1, 3), dtype=dtypes, seed=seeds
)
def test_replicates_are_the_networks_of_their_seeds(every_module, between, replicates, dtype, seed):
    rng, each = np.random.default_rng(seed), range(seed, seed + replicates)
    together = minidl.replicate(partial(every_module, dtype), each)
    x = rng.standard_normal((replicates, *between, 4, WIDTH)).astype(dtype)
    y = together(x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = together.backward(dy)
    close = partial(np.testing.assert_allclose, rtol=FLOATS[dtype], atol=FLOATS[dtype])
    for r, own in enumerate(each):
        single = every_module(dtype, np.random.default_rng(own))
        close(y[r], single(x[r]))
        close(dx[r], single.backward(dy[r]))
        close(together.grads[r], single.grads, rtol=4 * FLOATS[dtype])


def pair(kind, shape, dtype, rng):
    """Return a prediction and a target that suit a loss; probabilities stay away from their ends."""
    if kind is minidl.GaussianNLLLoss:
        shape = (*shape[:-1], 2 * shape[-1])
    if kind is minidl.BCELoss:
        return rng.uniform(0.05, 0.95, shape).astype(dtype), rng.random(shape).astype(dtype)
    target_shape = kind().target_shape(shape)
    classes = kind is minidl.CrossEntropyLoss
    target = rng.dirichlet(np.ones(shape[-1]), shape[:-1]) if classes else rng.random(target_shape)
    return (2 * rng.standard_normal(shape)).astype(dtype), target.astype(dtype)


some = st.lists(st.integers(1, 4), min_size=2, max_size=3).map(tuple)


@quick
@given(shape=some, reduction=st.sampled_from(["sum", "mean", "batchmean"]), seed=seeds)
def test_gradients_of_losses_agree_with_differences(every_loss, differences, shape, reduction, seed):
    prediction, target = pair(every_loss, shape, "float64", np.random.default_rng(seed))
    loss = every_loss(reduction)
    slopes = differences(lambda f: loss(f, target), prediction)
    loss(prediction, target)
    np.testing.assert_allclose(loss.backward(), slopes, rtol=1e-5, atol=1e-7)


@quick
@given(shape=some, reduction=st.sampled_from(["sum", "mean", "batchmean"]), dtype=dtypes, layout=layouts, seed=seeds)
def test_losses_keep_dtype_and_inputs_whatever_the_layout(every_loss, unchanged, shape, reduction, dtype, layout, seed):
    prediction, target = pair(every_loss, shape, dtype, np.random.default_rng(seed))
    loss, plain = every_loss(reduction), every_loss(reduction)
    laid = layout(prediction), layout(target)
    with unchanged(*laid):
        value = loss(*laid)
        gradient = loss.backward()
    assert value.dtype == gradient.dtype == dtype
    assert gradient.shape == prediction.shape
    close = partial(np.testing.assert_allclose, rtol=2 * FLOATS[dtype], atol=FLOATS[dtype])
    close(value, plain(prediction, target))
    close(gradient, plain.backward())


@quick
@given(
    shape=some,
    replicates=st.integers(1, 3),
    reduction=st.sampled_from(["sum", "mean", "batchmean"]),
    shared=st.booleans(),
    seed=seeds,
)
def test_losses_never_sum_over_replicates(every_loss, shape, replicates, reduction, shared, seed):
    prediction, target = pair(every_loss, (replicates, *shape), "float64", np.random.default_rng(seed))
    loss, single = every_loss(reduction), every_loss(reduction)
    value = loss(prediction, target[0] if shared else target, replicate_axes=1)
    gradient = loss.backward()
    for r in range(replicates):
        assert value[r] == pytest.approx(single(prediction[r], target[0 if shared else r]), rel=1e-12)
        np.testing.assert_allclose(gradient[r], single.backward(), rtol=1e-12, atol=1e-15)
