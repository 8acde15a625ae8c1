"""Losses: eq. 9 to 12 written out, gradients by differences, reductions, replicates and limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)
shapes = array_shapes(min_dims=1, max_dims=3, max_side=5)
seeds = st.integers(0, 99)
reductions = pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
in_every_dtype = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


# One element, or for the last one sample, written out with nothing but the logarithm.
TERMS = {
    minidl.MSELoss: lambda f, y: (y - f) ** 2,
    minidl.BCELoss: lambda f, y: -(y * math.log(f) + (1 - y) * math.log(1 - f)),
    minidl.BCEWithLogitsLoss: lambda x, y: (
        -(y * math.log(1 / (1 + math.exp(-x))) + (1 - y) * math.log(1 / (1 + math.exp(x))))
    ),
    minidl.CrossEntropyLoss: lambda x, p: -sum(q * math.log(s) for q, s in zip(p, softmax(x), strict=True)),
}
every = pytest.mark.parametrize("kind", TERMS, ids=lambda kind: kind.__name__)


def draw(kind, shape, rng):
    """Return a prediction and a target that suit a loss; probabilities stay away from 0 and 1."""
    if kind is minidl.BCELoss:
        return rng.uniform(0.05, 0.95, shape), rng.random(shape)
    targets = {minidl.MSELoss: rng.standard_normal(shape), minidl.CrossEntropyLoss: softmax(rng.standard_normal(shape))}
    return 2 * rng.standard_normal(shape), targets.get(kind, rng.random(shape))


def terms_of(kind, prediction, target):
    """Return the terms of a loss one by one, flat."""
    axes = 1 if kind is minidl.CrossEntropyLoss else 0
    pairs = [a.reshape(-1, *a.shape[a.ndim - axes :]) for a in (prediction, target)]
    return [TERMS[kind](f, y) for f, y in zip(*pairs, strict=True)]


@every
@reductions
@quick
@given(shape=shapes, seed=seeds)
def test_the_value_is_the_sum_or_the_mean_of_the_terms(kind, reduction, shape, seed):
    prediction, target = draw(kind, shape, np.random.default_rng(seed))
    terms = terms_of(kind, prediction, target)
    samples = shape[0] if len(shape) > 1 else 1
    expected = math.fsum(terms) / {"sum": 1, "mean": len(terms), "batchmean": samples}[reduction]
    value = kind(reduction)(prediction, target)
    assert value == kind(reduction).forward(prediction, target)
    assert value.shape == ()
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-14)


@every
@reductions
@quick
@given(shape=shapes, seed=seeds)
def test_the_gradient_agrees_with_differences(kind, reduction, differences, shape, seed):
    prediction, target = draw(kind, shape, np.random.default_rng(seed))
    loss = kind(reduction)
    slopes = differences(lambda f: loss(f, target), prediction)
    loss(prediction, target)
    # half the digits are lost in the difference, of a sum of at most 125 terms of order one
    np.testing.assert_allclose(loss.backward(), slopes, rtol=1e-6, atol=3e-8)


@reductions
@quick
@given(shape=shapes, seed=seeds, kind=st.sampled_from(["int64", "int32", "uint8", "int8", "uint64"]))
def test_class_indices_are_one_hot_rows(reduction, shape, seed, kind):
    rng = np.random.default_rng(seed)
    x, classes = 3 * rng.standard_normal(shape), rng.integers(0, shape[-1], shape[:-1], dtype=kind)
    by_index, by_row = minidl.CrossEntropyLoss(reduction), minidl.CrossEntropyLoss(reduction)
    assert by_index(x, np.asarray(classes)) == pytest.approx(
        by_row(x, np.eye(shape[-1])[classes]), rel=1e-13, abs=1e-15
    )
    np.testing.assert_allclose(by_index.backward(), by_row.backward(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("kind", "indices"), [*((kind, False) for kind in TERMS), (minidl.CrossEntropyLoss, True)])
@reductions
@pytest.mark.parametrize("shared", [True, False], ids=["shared targets", "own targets"])
@pytest.mark.parametrize("replicates", [(3,), (3, 2)])
def test_replicates_are_never_summed(kind, reduction, shared, replicates, indices, rng):
    prediction, target = draw(kind, (*replicates, 4, 5), rng)
    if indices:
        target = target.argmax(axis=-1)
    target = target[(0,) * len(replicates)] if shared else target
    loss, single = kind(reduction), kind(reduction)
    value = loss(prediction, target, replicate_axes=len(replicates))
    gradient = loss.backward()
    assert (value.shape, gradient.shape) == (replicates, prediction.shape)
    for r in np.ndindex(replicates):
        assert value[r] == pytest.approx(single(prediction[r], target if shared else target[r]), rel=1e-13)
        np.testing.assert_allclose(gradient[r], single.backward(), rtol=1e-13)


def test_eq_9_to_12_by_hand():
    f, y = np.array([[0.25, 0.75]]), np.array([[1.0, 0.0]])
    mse, bce, logits = minidl.MSELoss(), minidl.BCELoss(), minidl.BCEWithLogitsLoss()
    assert mse(f, y) == 0.75**2 * 2
    np.testing.assert_array_equal(mse.backward(), [[-1.5, 1.5]])
    assert bce(f, y) == pytest.approx(2 * math.log(4))
    np.testing.assert_allclose(bce.backward(), [[-4, 4]])
    assert logits(np.log([[1 / 3, 3]]), y) == pytest.approx(2 * math.log(4))
    np.testing.assert_allclose(logits.backward(), f - y)


@every
def test_the_report_sums_and_mean_divides_by_what_torch_divides_by(kind, rng):
    prediction, target = draw(kind, (2, 3, 4), rng)
    total, mean, batchmean = kind(), kind("mean"), kind("batchmean")
    count = 6 if kind is minidl.CrossEntropyLoss else 24
    assert total(prediction, target) == pytest.approx(count * mean(prediction, target))
    assert total(prediction, target) == pytest.approx(2 * batchmean(prediction, target))
    np.testing.assert_allclose(total.backward(), count * mean.backward())
    np.testing.assert_allclose(total.backward(), 2 * batchmean.backward())
    assert (total.divisor, mean.divisor, batchmean.divisor) == (1, count, 2)
    assert (total.reduction, repr(mean)) == ("sum", f"{kind.__name__}(mean)")
    with pytest.raises(ValueError, match=rf"{kind.__name__}: expected reduction 'sum' .* or 'batchmean', got 'none'"):
        kind("none")


@every
@reductions
@in_every_dtype
def test_dtype_stays_and_nothing_handed_in_or_out_is_changed(kind, reduction, dtype, rng, unchanged):
    pairs = [[a.astype(dtype) for a in draw(kind, (4, 3), rng)] for _ in range(2)]
    loss = kind(reduction)
    value = loss(*pairs[0])
    gradient = loss.backward()
    assert value.dtype == gradient.dtype == dtype
    assert loss(pairs[0][0][None], pairs[0][1], replicate_axes=1).dtype == dtype
    with unchanged(pairs, value, gradient):
        loss(*pairs[1])
        loss.backward()


@in_every_dtype
def test_class_indices_keep_the_dtype_of_the_prediction(dtype):
    loss = minidl.CrossEntropyLoss("mean")
    assert loss(np.zeros((2, 3), dtype), np.array([0, 2])).dtype == loss.backward().dtype == dtype


@every
def test_no_samples_cost_nothing_and_have_no_mean(kind):
    empty = np.zeros((0, 3))
    loss = kind()
    assert loss(empty, empty) == 0
    assert loss.backward().shape == (0, 3)
    for reduction in ("mean", "batchmean"):
        with pytest.raises(ValueError, match=rf"{kind.__name__}\({reduction}\): .* no mean of none"):
            kind(reduction)(empty, empty)


@every
def test_nan_stays_nan(kind):
    loss = kind()
    assert np.isnan(loss(np.full((1, 2), np.nan), np.array([[0.0, 1.0]])))
    assert np.isnan(loss.backward()).all()


def test_a_mean_of_none_leaves_the_last_gradient_alone():
    loss = minidl.MSELoss("mean")
    loss(np.ones((4, 2)), np.zeros((4, 2)))
    gradient = loss.backward()
    with pytest.raises(ValueError, match="expected at least one sample"):
        loss(np.ones((0, 2)), np.zeros((0, 2)))
    np.testing.assert_array_equal(loss.backward(), gradient)
