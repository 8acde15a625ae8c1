"""softmax and log_softmax: values, extremes, both libraries, bad input."""

import numpy as np
import pytest

import minidl

both = pytest.mark.parametrize("function", [minidl.softmax, minidl.log_softmax])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(4,), (5, 3), (2, 5, 1), (0, 3)])
def test_probabilities(rng, unchanged, dtype, shape):
    x = (3 * rng.standard_normal(shape)).astype(dtype)
    with unchanged(x):
        p, log_p = minidl.softmax(x), minidl.log_softmax(x)
    assert p.dtype == log_p.dtype == dtype
    wide = np.exp(x.astype(np.float64))
    close = {"rtol": 8 * np.finfo(dtype).eps, "atol": 0}
    np.testing.assert_allclose(p, wide / wide.sum(-1, keepdims=True), **close)
    np.testing.assert_allclose(log_p, np.log(wide / wide.sum(-1, keepdims=True)), atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_large_logits_and_logits_of_minus_infinity(dtype):
    x = np.array([[1e4, 1e4], [-1e4, 1e4], [-np.inf, 3]], dtype)
    np.testing.assert_array_equal(minidl.softmax(x), np.array([[0.5, 0.5], [0, 1], [0, 1]], dtype))
    expected = np.array([[-np.log(2), -np.log(2)], [-2e4, 0], [-np.inf, 0]]).astype(dtype)
    np.testing.assert_allclose(minidl.log_softmax(x), expected, rtol=2 * np.finfo(dtype).eps)


def test_nan_makes_its_row_nan():
    p = minidl.softmax(np.array([[np.nan, 0.0], [1.0, 1.0]]))
    np.testing.assert_array_equal(p, [[np.nan, np.nan], [0.5, 0.5]])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch(name, dtype, rng):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(5 * rng.standard_normal((2, 6, 4)).astype(dtype))
    ours, theirs = getattr(minidl, name)(x), getattr(torch, name)(x, dim=-1)
    assert isinstance(ours, torch.Tensor)
    torch.testing.assert_close(ours, theirs, rtol=8 * torch.finfo(x.dtype).eps, atol=8 * torch.finfo(x.dtype).eps)


@both
def test_what_is_refused(function, no_float):
    name, x = no_float
    with pytest.raises(TypeError, match=rf"{function.__name__}: expected x to be .*{name if name == 'list' else ''}"):
        function(x)
    for shape in ((), (3, 0)):
        with pytest.raises(ValueError, match=rf"{function.__name__}: expected x of shape \(\.\.\., classes\)"):
            function(np.ones(shape))
