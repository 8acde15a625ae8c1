"""Issue A, "Bad input", for losses: an error that names the loss and both shapes or dtypes; nothing changes."""

import numpy as np
import pytest

import minidl


@pytest.fixture
def loss(elementwise_loss):
    return elementwise_loss("mean")


def test_what_is_no_floating_array_is_refused_by_losses(loss, no_float, unchanged):
    (kind, bad), good, who = no_float, np.full((4, 3), 0.5), rf"{type(loss).__name__}\(mean\)"
    loss(good, good)
    with unchanged(loss), pytest.raises(TypeError, match=rf"{who}: expected prediction to be .*got {kind}"):
        loss(bad, good)
    error, words = TypeError, "expected target to be"
    if isinstance(loss, minidl.CrossEntropyLoss) and "int" in kind:  # then these are classes, of a wrong shape
        error, words, kind = ValueError, r"expected a target of shape \(4,\)", r"\(4, 3\)"
    with unchanged(loss), pytest.raises(error, match=rf"{who}: {words}.* got {kind}"):
        loss(good, bad)


def test_a_losss_backward_before_forward_is_refused(every_loss):
    words = rf"{every_loss.__name__}\(sum\): backward before forward: call forward\(prediction, target\) first"
    with pytest.raises(ValueError, match=words):
        every_loss().backward()


@pytest.mark.parametrize(
    ("prediction", "target", "axes"),
    [
        ((4,), (4, 1), 0),
        ((4, 3), (4, 1), 0),
        ((4, 3), (1, 3), 0),
        ((4, 3), (3,), 0),
        ((2, 4, 3), (4, 3), 0),
        ((2, 4, 3), (4, 1), 1),
        ((2, 4, 3), (1, 4, 3), 1),
        ((2, 4, 3), (2, 3), 1),
        ((4, 3), (), 0),
    ],
)
def test_a_target_of_another_shape_is_refused(loss, prediction, target, axes, unchanged):
    good = np.full((2, 2), 0.5)
    loss(good, good)
    f, y = np.full(prediction, 0.5), np.full(target, 0.5)
    got = ", ".join(map(str, target))
    words = rf"{type(loss).__name__}\(mean\): expected a target of shape \({prediction[0]},.*got \({got},?\)"
    with unchanged(loss, f, y), pytest.raises(ValueError, match=words) as caught:
        loss(f, y, replicate_axes=axes)
    assert ("or, shared by the replicates, (4, 3)" in str(caught.value)) == bool(axes)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_target_of_another_dtype_is_refused(loss, dtype, unchanged):
    good = np.full((4, 3), 0.5)
    loss(good, good)
    words = rf"{type(loss).__name__}\(mean\): expected a target .*float64.*, got {dtype} \(4, 3\)"
    with unchanged(loss), pytest.raises(TypeError, match=words):
        loss(good, good.astype(dtype))


@pytest.mark.parametrize(
    "target",
    [np.ones((4, 3), int), np.ones(3, int), np.ones((4, 1), int), np.ones((), int)],
    ids=lambda target: f"{target.dtype}{target.shape}",
)
def test_class_indices_of_another_shape_are_refused(target, unchanged):
    loss, good = minidl.CrossEntropyLoss("mean"), np.full((4, 3), 0.5)
    loss(good, good)
    got = rf"got \({', '.join(map(str, target.shape))},?\)"
    with unchanged(loss), pytest.raises(ValueError, match=rf"CrossEntropyLoss\(mean\): expected .*\(4,.*{got}"):
        loss(good, target)


def test_a_column_is_not_broadcast_against_a_row(loss, unchanged):
    if isinstance(loss, minidl.CrossEntropyLoss):
        pytest.skip("takes class indices, one per row of the prediction")
    column, row = np.full((4, 1), 0.5), np.full(4, 0.5)
    with unchanged(loss), pytest.raises(ValueError, match=r"expected a target of shape \(4, 1\), got \(4,\)"):
        loss(column, row)


@pytest.mark.parametrize("target", [np.full(4, 0.5), np.ones(4)], ids=["halves", "ones"])
def test_fractional_class_indices_are_refused(target, unchanged):
    loss, good = minidl.CrossEntropyLoss("mean"), np.full((4, 3), 0.5)
    loss(good, good)
    words = r"CrossEntropyLoss\(mean\): expected class indices to be integers, got float64 \(4,\)"
    with unchanged(loss), pytest.raises(TypeError, match=words):
        loss(good, target)


@pytest.mark.parametrize(("axes", "error"), [(-1, ValueError), (2, ValueError), (3, ValueError), (1.0, TypeError)])
def test_more_replicate_axes_than_there_are_is_refused(loss, axes, error, unchanged):
    good = np.full((4, 3), 0.5)
    loss(good, good)
    with unchanged(loss), pytest.raises(error, match=rf"{type(loss).__name__}\(mean\): expected .*{axes}"):
        loss(good, good, replicate_axes=axes)
