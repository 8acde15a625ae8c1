"""Every loss against torch: value, gradient, reductions, replicates, edge values."""

import warnings

import numpy as np
import pytest
import torch

from conformance.arrays import BACKENDS, DTYPES, LAYOUTS, Untouched, as_library, as_numpy, bits
from conformance.loss_cases import LOSSES, reduced, weighted
from conformance.ulp import assert_within, ulps

by_case = pytest.mark.parametrize("case", LOSSES, ids=str)
by_reduction = pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
by_backend = pytest.mark.parametrize("backend", BACKENDS)


def theirs(case, reduction, prediction, target):
    tensor = torch.from_numpy(prediction.copy()).requires_grad_()
    value = reduced(case, reduction)(tensor, torch.from_numpy(np.asarray(target).copy()))
    value.backward()
    return as_numpy(value), as_numpy(tensor.grad)


def scale(reduction, prediction):
    """What gradients are differences of: p - 1 with p close to 1 has no digits beyond those of 1."""
    return 1 / {"sum": 1, "mean": prediction.size, "batchmean": len(prediction)}[reduction]


def compare(case, reduction, backend, prediction, target, table):
    dtype = prediction.dtype.name
    loss, untouched = case.ours(reduction), Untouched()
    ours_in = untouched.watch("prediction", as_library(prediction, backend))
    target_in = untouched.watch("target", as_library(np.asarray(target), backend))
    value, ours_out = loss.forward(ours_in, target_in), untouched.watch("gradient", loss.backward())
    untouched.watch("value", value)
    wanted, gradient = theirs(case, reduction, prediction, target)
    tolerance, size = case.ulp[dtype], scale(reduction, prediction)
    for name, ours, other, floor in (("value", value, wanted, 0), ("gradient", ours_out, gradient, size)):
        both = as_numpy(ours), other, "array", floor
        table.record(case.name, dtype, ulps(*both), tolerance)
        assert_within(tolerance, f"{loss}, {backend}: the {name} is not torch's", *both)
    assert bits(loss.backward()) == bits(ours_out)
    loss.forward(ours_in / 2, target_in)
    loss.backward()
    untouched.check()


@by_backend
@pytest.mark.parametrize("dtype", DTYPES)
@by_reduction
@by_case
def test_value_and_gradient(case, reduction, dtype, backend, rng, table):
    prediction, target = case.prediction(rng, (7, 4), dtype), case.target(rng, (7, 4), dtype)
    compare(case, reduction, backend, prediction, target, table)


@by_backend
@pytest.mark.parametrize("shape", [(1, 4), (1, 2), (3, 5, 4), (2, 3, 2, 3)], ids=str)
@by_reduction
@by_case
def test_shapes(case, reduction, shape, backend, rng, table):
    compare(case, reduction, backend, case.prediction(rng, shape, "float64"), case.target(rng, shape, "float64"), table)


@by_backend
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@by_case
def test_layouts_in_memory(case, layout, dtype, backend, rng, table):
    prediction = layout(case.prediction(rng, (6, 4), dtype))
    compare(case, "sum", backend, prediction, layout(case.target(rng, (6, 4), dtype)), table)


@by_backend
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@by_case
def test_edge_values(case, dtype, backend, table):
    for prediction, target in case.edges:
        row = np.array([prediction], dtype)
        target_row = np.array([target]) if isinstance(target, int) else np.array([target], dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compare(case, "sum", backend, row, target_row, table)


@by_reduction
@by_case
def test_replicates_are_never_summed(case, reduction, rng):
    shape, loss = (3, 7, 4), case.ours(reduction)
    prediction, target = case.prediction(rng, shape, "float64"), case.target(rng, shape, "float64")
    value = loss.forward(prediction, target, replicate_axes=1)
    gradient = loss.backward()
    assert value.shape == (3,)
    for r in range(3):
        wanted, wanted_gradient = theirs(case, reduction, prediction[r], target[r])
        what, tolerance = f"{loss}, replicate {r}: not torch's", case.ulp["float64"]
        assert_within(tolerance, what, np.asarray(value[r]), wanted)
        assert_within(tolerance, what, gradient[r], wanted_gradient, "array", floor=1 / 28)


@by_backend
@by_reduction
@pytest.mark.parametrize("shape", [(7, 4), (7, 3, 2)], ids=str)
@by_case
def test_weights_of_samples(case, shape, reduction, backend, rng):
    prediction, target = case.prediction(rng, shape, "float64"), case.target(rng, shape, "float64")
    weight = rng.random(7)
    weight[2] = 0
    loss = case.ours(reduction)
    value = loss.forward(*(as_library(array, backend) for array in (prediction, np.asarray(target))), weight=weight)
    tensor = torch.from_numpy(prediction).requires_grad_()
    wanted = weighted(case.theirs("none")(tensor, torch.from_numpy(target)), torch.from_numpy(weight), reduction)
    wanted.backward()
    what, tolerance = f"{loss}, {backend}, weighted: not torch's", case.ulp["float64"]
    assert_within(tolerance, what, as_numpy(value), as_numpy(wanted), "array")
    assert_within(tolerance, what, as_numpy(loss.backward()), as_numpy(tensor.grad), "array", scale("mean", weight))


@by_case
def test_weights_of_replicates(case, rng):
    prediction, target = case.prediction(rng, (3, 7, 4), "float64"), case.target(rng, (7, 4), "float64")
    for reduction in ("sum", "mean", "batchmean"):
        for weight in (rng.random((3, 7)), rng.random(7)):
            loss, single = case.ours(reduction), case.ours(reduction)
            value = loss.forward(prediction, target, replicate_axes=1, weight=weight)
            gradient = loss.backward()
            for r, own in enumerate(np.broadcast_to(weight, (3, 7))):
                alone = single.forward(prediction[r], target, weight=own)
                np.testing.assert_allclose(value[r], alone, rtol=1e-13)
                np.testing.assert_allclose(gradient[r], single.backward(), rtol=1e-13)


@by_case
def test_replicates_may_share_targets(case, rng):
    prediction, target = case.prediction(rng, (3, 7, 4), "float64"), case.target(rng, (7, 4), "float64")
    shared, repeated = case.ours("sum"), case.ours("sum")
    value = shared.forward(prediction, target, replicate_axes=1)
    np.testing.assert_array_equal(value, repeated.forward(prediction, np.stack([target] * 3), replicate_axes=1))
    np.testing.assert_array_equal(shared.backward(), repeated.backward())


@by_case
def test_no_samples_cost_nothing(case, rng, table):
    prediction, target = case.prediction(rng, (0, 4), "float64"), case.target(rng, (0, 4), "float64")
    compare(case, "sum", "numpy", prediction, target, table)


@by_case
def test_target_of_another_shape_is_refused(case, rng):
    loss = case.ours("sum")
    prediction, target = case.prediction(rng, (7, 4), "float64"), case.target(rng, (7, 4), "float64")
    kept = loss.forward(prediction, target), loss.backward()
    for wrong in (target[:1], target[:, None], np.stack([target] * 2)):
        with pytest.raises(ValueError, match=rf"{type(loss).__name__}.*expected a target of shape .*got"):
            loss.forward(prediction, wrong)
    np.testing.assert_array_equal(loss.backward(), kept[1])


@pytest.mark.parametrize("wrong", [-1, 4, -100], ids=str)
def test_class_out_of_range_is_refused(wrong, rng):
    case = next(case for case in LOSSES if case.name == "CrossEntropyLoss of indices")
    target = case.target(rng, (7, 4), "float64")
    target[3] = wrong
    with pytest.raises(ValueError, match=rf"CrossEntropyLoss.*from 0 to 3, got {wrong}"):
        case.ours("sum").forward(case.prediction(rng, (7, 4), "float64"), target)


@pytest.mark.parametrize("wrong", [-0.5, 2.0])
def test_a_target_that_is_no_probability_is_refused_as_there(wrong):
    case = next(case for case in LOSSES if case.name == "BCELoss")
    prediction, target = np.array([[0.5]]), np.array([[wrong]])
    with pytest.raises(ValueError, match=rf"BCELoss.*expected a target in \[0, 1\], got .* {wrong}"):
        case.ours("sum").forward(prediction, target)
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        case.theirs("sum")(torch.from_numpy(prediction), torch.from_numpy(target))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "uint16", "uint32", "uint64"])
def test_class_indices_of_any_integer_type(dtype):
    """A tensor of eight bits must not be compared with 300 in eight bits."""
    case = next(case for case in LOSSES if case.name == "CrossEntropyLoss of indices")
    prediction, target = torch.zeros(3, 300), torch.tensor([0, 1, 44], dtype=getattr(torch, dtype))
    value = case.ours("sum").forward(prediction, target)
    assert value.item() == pytest.approx(3 * np.log(300))
    np.testing.assert_array_equal(case.ours("sum").forward(prediction.numpy(), target.numpy()), value)
    with pytest.raises(ValueError, match="from 0 to 43, got 44"):
        case.ours("sum").forward(prediction[:, :44], target)


@by_case
def test_as_many_replicates_as_samples_and_classes(case, rng):
    """Shared targets (N, C) have the shape of (R, N) then."""
    prediction, target = case.prediction(rng, (4, 4, 4), "float64"), case.target(rng, (4, 4), "float64")
    shared, repeated = case.ours("sum"), case.ours("sum")
    value = shared.forward(prediction, target, replicate_axes=1)
    np.testing.assert_array_equal(value, repeated.forward(prediction, np.stack([target] * 4), replicate_axes=1))
    np.testing.assert_array_equal(shared.backward(), repeated.backward())
