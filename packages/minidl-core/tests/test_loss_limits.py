"""Losses where numbers end: certain predictions, large logits, classes out of range."""

import math

import numpy as np
import pytest

import minidl

in_every_dtype = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])


@in_every_dtype
@pytest.mark.parametrize(("f", "y", "cost"), [(0, 1, 100), (1, 0, 100), (0, 0, 0), (1, 1, 0), (0, 0.25, 25)])
def test_a_certain_and_wrong_probability_costs_100(dtype, f, y, cost):
    loss = minidl.BCELoss()
    assert loss(np.array([f], dtype), np.array([y], dtype)) == cost
    (slope,) = loss.backward()
    assert np.isfinite(slope)
    assert np.sign(slope) == np.sign(f - y)


def test_the_cut_is_at_minus_100_and_the_floor_at_1e_12():
    loss = minidl.BCELoss()
    tiny = np.array([1e-43, 1e-44])  # logarithms -99.01 and -101.3
    assert loss(tiny[:1], np.ones(1)) == pytest.approx(43 * math.log(10), rel=1e-15)
    assert loss(tiny[1:], np.ones(1)) == 100
    np.testing.assert_allclose(loss.backward(), [-1e12])
    loss(np.array([1e-11, 1e-13]), np.ones(2))
    np.testing.assert_allclose(loss.backward(), [-1e11, -1e12], rtol=1e-8)  # the floor is that of torch, in float32


def test_the_logarithm_of_almost_one_keeps_its_digits():
    assert minidl.BCELoss()(np.array([1e-20]), np.zeros(1)) == 1e-20


@in_every_dtype
@pytest.mark.parametrize("x", [-1000, -100, -20, 0, 20, 100, 1000])
@pytest.mark.parametrize("y", [0, 0.25, 1])
def test_logits_are_right_far_out(dtype, x, y):
    loss = minidl.BCEWithLogitsLoss()
    value = float(loss(np.array([x], dtype), np.array([y], dtype)))
    slope = loss.backward().item()
    ulp, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    # log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), of which exp(-1000) is nothing in any dtype
    assert value == pytest.approx(max(x, 0) - x * y + math.log1p(math.exp(-abs(x))), rel=4 * ulp, abs=tiny)
    expected = (1 / (1 + math.exp(-x)) if x > -700 else 0) - y
    assert slope == pytest.approx(expected, rel=4 * ulp, abs=tiny if y == 0 else 2 * ulp)  # one minus almost one


@in_every_dtype
@pytest.mark.parametrize("x", [-1000, 1000])
@pytest.mark.parametrize("target", [np.array([0]), np.array([1]), "rows"], ids=str)
def test_scores_are_right_far_out(dtype, x, target):
    loss = minidl.CrossEntropyLoss()
    first = np.array([[1, 0]], dtype) if isinstance(target, str) else target
    wanted = 0 if isinstance(target, str) else target[0]
    score = np.array([[x, 0]], dtype)
    assert loss(score, first) == max(x, 0) - score[0, wanted]
    one_hot = np.arange(2) == wanted
    np.testing.assert_array_equal(loss.backward(), [(np.arange(2) == (0 if x > 0 else 1)) * 1.0 - one_hot])


def test_scores_may_be_shifted_together():
    x, classes = np.array([[1.0, 2, 4], [0, -1, 3]]), np.array([2, 1])
    near, far = minidl.CrossEntropyLoss(), minidl.CrossEntropyLoss()
    assert far(x + 1024, classes) == near(x, classes)
    np.testing.assert_array_equal(far.backward(), near.backward())


def test_probabilities_need_not_sum_to_one(differences):
    x, p = np.array([[1.0, -2, 0.5]]), np.array([[0.5, 2.0, 0.25]])
    loss = minidl.CrossEntropyLoss()
    slopes = differences(lambda x: loss(x, p), x)
    loss(x, p)
    np.testing.assert_allclose(loss.backward(), slopes, rtol=1e-8)


@pytest.mark.parametrize("bad", [-1, 3, 127, -128])
@pytest.mark.parametrize("kind", [np.int64, np.int8])
def test_a_class_out_of_range_is_never_wrapped(bad, kind, unchanged):
    loss, x = minidl.CrossEntropyLoss("mean"), np.zeros((4, 3))
    loss(x, np.zeros(4, int))
    target = np.array([0, 2, bad, 1], kind)
    with (
        unchanged(loss, x, target),
        pytest.raises(ValueError, match=rf"CrossEntropyLoss\(mean\): .* 0 to 2, got {bad}"),
    ):
        loss(x, target)


def test_every_class_of_many_can_be_named():
    loss, classes = minidl.CrossEntropyLoss(), np.arange(256, dtype=np.uint8)
    assert loss(np.eye(256) * 1000, classes) == 0
    np.testing.assert_allclose(loss.backward(), 0, atol=1e-15)


@pytest.mark.parametrize("f", [[-0.1, 0.5], [0.5, 1.1]])
def test_what_is_no_probability_is_refused(f, unchanged):
    loss, f = minidl.BCELoss(), np.array(f)
    loss(np.array([0.5]), np.array([1.0]))
    with (
        unchanged(loss, f),
        pytest.raises(ValueError, match=rf"BCELoss\(sum\): .*\[0, 1\], got float64 \(2,\) from {f[0]} to {f[1]}"),
    ):
        loss(f, np.ones(2))


@pytest.mark.parametrize("kind", [minidl.MSELoss, minidl.BCELoss, minidl.BCEWithLogitsLoss, minidl.CrossEntropyLoss])
def test_the_mean_over_many_terms_has_a_gradient_in_float16(kind):
    """70,000 terms are more than the largest number of 16 bits; torch's gradient is that of float32, rounded."""
    rng = np.random.default_rng(0)
    prediction, target = rng.uniform(0.1, 0.9, (70_000, 2)), rng.integers(0, 2, (70_000, 2)).astype(float)
    gradients = []
    for dtype in (np.float16, np.float64):
        loss = kind("mean")
        loss.forward(prediction.astype(dtype), target.astype(dtype))
        gradients.append(loss.backward().astype(np.float64))
    assert (gradients[0][np.abs(gradients[1]) > 1e-6] != 0).all()
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=0.05, atol=6e-8)  # an ulp of the smallest numbers
