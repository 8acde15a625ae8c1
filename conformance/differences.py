"""What minidl does otherwise than torch, on purpose: each with its reason, and a program that shows both.

`show(case)` builds both from the case that the difference belongs to. It fails when one of them changes its ways, and
so also when the difference is gone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn


@dataclass(frozen=True)
class Difference:
    """Something that is not as in torch, why, and both shown."""

    what: str
    reason: str
    show: Callable

    def __str__(self):
        return self.what


def slope_at_nan(case):
    module, x = case.ours("float64", "numpy"), np.array([np.nan, 1.0])
    tensor = torch.from_numpy(x).requires_grad_()
    module.forward(x)
    case.theirs(x.shape, torch.float64)(tensor).backward(torch.ones(2, dtype=torch.float64))
    assert module.backward(np.ones(2)).tolist() == [0, 1]
    assert tensor.grad.tolist() == [1, 1]


def nan_at_nan(case):
    module, x = case.ours("float64", "numpy"), np.array([np.nan, 1.0])
    tensor = torch.from_numpy(x).requires_grad_()
    module.forward(x)
    case.theirs(x.shape, torch.float64)(tensor).backward(torch.ones(2, dtype=torch.float64))
    np.testing.assert_array_equal(module.backward(np.ones(2)), [np.nan, 1])
    assert tensor.grad.tolist() == [1, 1]


def infinite_gradient(case):
    module, x, dy = case.ours("float64", "numpy"), np.array([-1.0, 1.0]), np.array([np.inf, np.inf])
    tensor = torch.from_numpy(x).requires_grad_()
    module.forward(x)
    case.theirs(x.shape, torch.float64)(tensor).backward(torch.from_numpy(dy))
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(module.backward(dy), [np.nan, np.inf])
    assert tensor.grad.tolist() == [0, np.inf]


def minus_infinity(case):
    x = np.array([-np.inf])
    assert case.ours("float64", "numpy").forward(x).tolist() == [0]
    assert case.theirs(x.shape, torch.float64)(torch.from_numpy(x)).isnan()


def cancels(case):
    x = np.array([-8.0])
    z = math.sqrt(8 / math.pi) * (8 + 0.044715 * 8**3)
    exact = -8 * (math.erfc(8 / math.sqrt(2)) / 2 if case.name == "GELU" else 1 / (1 + math.exp(z)))
    ours, theirs = case.ours("float64", "numpy").forward(x), case.theirs(x.shape, torch.float64)(torch.from_numpy(x))
    assert abs(ours[0] / exact - 1) < 1e-13
    assert 0.01 < abs(theirs.item() / exact - 1) <= 1


def threshold(case):
    x, exact = np.array([10.5]), 10.5 + math.log1p(math.exp(-21)) / 2
    assert abs(case.ours("float64", "numpy").forward(x)[0] - exact) < 1e-15
    assert abs(nn.Softplus(2)(torch.from_numpy(x)).item() - exact) > 1e-10


def own_mask(case):
    ours = case.ours("float32", "numpy").forward(np.ones((20, 20), np.float32)) > 0
    with torch.random.fork_rng():
        torch.manual_seed(7)
        theirs = nn.functional.dropout(torch.ones(20, 20), 0.25).numpy() > 0
    np.testing.assert_array_equal(ours, np.random.default_rng(7).random((20, 20), dtype=np.float32) >= 0.25)
    assert 200 < theirs.sum() < 400
    assert (ours != theirs).any()


def another_shape(case):
    prediction, target = np.zeros((7, 4)), np.ones((7, 1))
    with pytest.raises(ValueError, match=r"expected a target of shape \(7, 4\), got \(7, 1\)"):
        case.ours("sum").forward(prediction, target)
    with pytest.warns(UserWarning, match="Using a target size"):
        assert case.theirs("sum")(torch.from_numpy(prediction), torch.from_numpy(target)) == 28


def mean_of_none(case):
    rng = np.random.default_rng(0)
    prediction, target = case.prediction(rng, (0, 4), "float64"), case.target(rng, (0, 4), "float64")
    with pytest.raises(ValueError, match="expected at least one sample"):
        case.ours("mean").forward(prediction, target)
    assert case.theirs("mean")(torch.from_numpy(prediction), torch.from_numpy(target)).isnan()


def nan_as_probability(case):
    prediction, target = np.array([[np.nan, 0.5]]), np.array([[1.0, 0.0]])
    assert math.isnan(case.ours("sum").forward(prediction, target))
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        case.theirs("sum")(torch.from_numpy(prediction), torch.from_numpy(target))


def infinite_logits(case):
    prediction, target = np.array([[-np.inf], [np.inf]]), np.array([[1.0], [0.0]])
    for row, ours, theirs in ((0, np.inf, np.nan), (1, np.nan, np.inf)):
        tensor = torch.from_numpy(prediction[row]).requires_grad_()
        loss, other = case.ours("sum"), case.theirs("sum")(tensor, torch.from_numpy(target[row]))
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(loss.forward(prediction[row], target[row]), ours)
        other.backward()
        np.testing.assert_array_equal(other.item(), theirs)
        np.testing.assert_array_equal(loss.backward(), tensor.grad)


def half_at_the_ends(case):
    prediction, target = np.array([[0, 1, 0, 1]], np.float16), np.array([[0, 1, 1, 0]], np.float16)
    tensor = torch.from_numpy(prediction).requires_grad_()
    loss = case.ours("mean")
    assert loss.forward(prediction, target) == 50
    theirs = case.theirs("mean")(tensor, torch.from_numpy(target))
    theirs.backward()
    smallest = float(np.finfo(np.float16).tiny)
    np.testing.assert_allclose(loss.backward(), [[0, 0, -1 / smallest / 4, 1 / smallest / 4]], rtol=1e-3)
    assert theirs == 50
    np.testing.assert_array_equal(tensor.grad, [[np.nan, np.nan, -np.inf, np.inf]])


def certain_and_right(case):
    prediction, target = np.array([[-30.0]]), np.array([[0.0]])
    exact = math.log1p(math.exp(-30))
    ours = case.ours("sum").forward(prediction, target)
    theirs = case.theirs("sum")(torch.from_numpy(prediction), torch.from_numpy(target)).item()
    assert abs(ours / exact - 1) < 1e-15
    assert 1e-3 < abs(theirs / exact - 1) < 0.1


def index_to_ignore(case):
    prediction, target = np.zeros((2, 4)), np.array([1, -100])
    with pytest.raises(ValueError, match="expected class indices from 0 to 3, got -100"):
        case.ours("sum").forward(prediction, target)
    theirs = case.theirs("sum")(torch.from_numpy(prediction), torch.from_numpy(target))
    assert theirs.item() == pytest.approx(math.log(4))


SLOPE_AT_NAN = Difference(
    "gradient at nan",
    "at x = nan torch passes the gradient on; here f'(x) is 1 where x > 0 and 0 elsewhere, as in the report",
    slope_at_nan,
)
NAN_AT_NAN = Difference(
    "gradient at nan",
    "at x = nan the gradient is nan, as that of the other smooth activations; torch passes it on",
    nan_at_nan,
)
INFINITE_GRADIENT = Difference(
    "infinite gradient where x <= 0",
    "inf * 0 is nan; torch selects instead and gives 0. A product takes half as long, for 100 replicates a tenth",
    infinite_gradient,
)
MINUS_INFINITY = Difference(
    "minus infinity",
    "the output at minus infinity is 0, the limit; in torch it is -inf times 0, nan",
    minus_infinity,
)
CANCELS = Difference(
    "large negative x", "torch's sum 1 + erf or 1 + tanh cancels, and has no correct digit from x = -8 on", cancels
)
THRESHOLD = Difference(
    "threshold", "no threshold: torch's default of 20, above which y is x, is wrong by up to 2e-9", threshold
)
OWN_MASK = Difference(
    "mask", "torch draws from its own generator; here NumPy does, so that a seed drops the same units", own_mask
)
ANOTHER_SHAPE = Difference(
    "target of another shape",
    "a target of another shape raises; torch warns and broadcasts, and (N,) against (N, 1) trains on nonsense",
    another_shape,
)
MEAN_OF_NONE = Difference("mean of none", "the mean of no samples raises, where torch returns nan", mean_of_none)
NAN_AS_PROBABILITY = Difference(
    "prediction of nan",
    "a prediction of nan gives a loss of nan, which training reports with epoch and batch; torch raises",
    nan_as_probability,
)
INFINITE_LOGITS = Difference(
    "infinite logits",
    "the losses meet inf - inf or inf * 0 on the way, each at another end, and are nan there; the gradients agree",
    infinite_logits,
)
HALF_AT_THE_ENDS = Difference(
    "float16 gradient at 0 and 1",
    "torch keeps f (1 - f) above 1e-12, which is zero in float16: infinities and nan; here above the smallest normal",
    half_at_the_ends,
)
CERTAIN_AND_RIGHT = Difference(
    "certain and right", "x = -30, y = 0 costs 9.4e-14; torch's formula cancels there, 1 % off", certain_and_right
)
INDEX_TO_IGNORE = Difference(
    "ignore_index", "class -100 raises like every other out of range; torch leaves such samples out", index_to_ignore
)
