"""LayerNorm and BatchNorm1d: values, gradients, replicates, records."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl
from minidl import BatchNorm1d, LayerNorm

libraries = pytest.mark.parametrize("library", ["numpy", "torch"])


def arrays(library, *given):
    torch = pytest.importorskip("torch") if library == "torch" else None
    return [torch.from_numpy(array) if torch else array for array in given]


def normalized(x, axis, eps=1e-5):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


@pytest.mark.parametrize("shape", [(6, 3), (2, 5, 3), (2, 1, 4, 3)])
@pytest.mark.parametrize(
    ("kind", "axes"), [(LayerNorm, lambda _: -1), (BatchNorm1d, lambda x: tuple(range(x.ndim - 1)))]
)
def test_values_and_gradients(kind, axes, shape, rng):
    x, norm = 5 + 3 * rng.standard_normal(shape), kind(3, dtype="float64", eps=0.1)
    norm.weight, norm.bias = rng.standard_normal(3), rng.standard_normal(3)
    np.testing.assert_allclose(norm(x), norm.weight * normalized(x, axes(x), 0.1) + norm.bias, rtol=1e-12)
    minidl.gradcheck(norm, x, rng=rng, tolerance=1e-6)
    minidl.gradcheck(norm.eval(), x, rng=rng, tolerance=1e-6)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    leading=st.lists(st.integers(1, 4), max_size=2),
    n=st.integers(2, 5),
    features=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_gradients_in_training_agree_with_differences(leading, n, features, seed):
    rng = np.random.default_rng(seed)
    minidl.gradcheck(BatchNorm1d(features, dtype="float64"), rng.standard_normal((*leading, n, features)), rng=rng)


@pytest.mark.parametrize("kind", [LayerNorm, BatchNorm1d])
@libraries
def test_float16_leaves_its_range_nowhere(kind, library):
    x, dy = arrays(library, *(np.float16([[-230, 2, 230], [1, 2, 4], [230, 5, 6]]), np.ones((3, 3), np.float16)))
    norm = kind(3, dtype="float16", backend=library)
    with np.errstate(all="raise", under="ignore"):
        y, dx = norm(x), norm.backward(dy)
    assert np.isfinite(np.asarray(y)).all()
    assert np.isfinite(np.asarray(dx)).all()
    assert y.dtype == dx.dtype == x.dtype


@pytest.mark.parametrize("kind", [LayerNorm, BatchNorm1d])
def test_replicates_with_data_of_their_own_or_shared(kind, rng):
    epsilons = iter([1e-5, 0.1, 1.0])
    model = minidl.replicate(lambda _: kind(3, dtype="float64", eps=next(epsilons)), range(3))
    model.values[...] = rng.standard_normal(model.values.shape)
    singles = minidl.unstack(model)
    assert [single.eps for single in singles] == [1e-5, 0.1, 1]
    for x in (rng.standard_normal((3, 4, 3)), rng.standard_normal((5, 3)), rng.standard_normal((3, 2, 2, 3))):
        y = model(x)
        dy = rng.standard_normal(y.shape)
        dx = model.backward(dy)
        for r, single in enumerate(singles):
            own = x if x.ndim == 2 else x[r]
            np.testing.assert_allclose(y[r], single(own), rtol=1e-12)
            np.testing.assert_allclose(dx[r], single.backward(dy[r]), rtol=1e-10, atol=1e-14)
            np.testing.assert_allclose(model.grads[r], single.grads, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(model.infer(x)[r], single.infer(own), rtol=1e-12)
            for name in single.statistics:
                np.testing.assert_allclose(model.statistics[name][r], single.statistics[name], rtol=1e-12)


def test_two_norms_are_no_twins():
    minidl.Sequential([LayerNorm(3), BatchNorm1d(3), LayerNorm(3)])
    with pytest.warns(UserWarning, match="start from the same random numbers"):
        minidl.Sequential([minidl.Linear(3, 3, rng=0), LayerNorm(3), minidl.Linear(3, 3, rng=0)])


@pytest.mark.parametrize("kind", [LayerNorm, BatchNorm1d])
def test_parameters_and_records(kind):
    norm = kind(3, dtype="float64")
    assert (norm.weight.tolist(), norm.bias.tolist()) == ([1, 1, 1], [0, 0, 0])
    norm.weight, norm.bias = np.arange(3.0), np.ones(3)
    assert norm.values.tolist() == [0, 1, 2, 1, 1, 1]
    (record,) = norm.spec()
    assert (record.kind, record.in_features, record.out_features) == (kind.__name__, 3, 3)
    assert dict(record.options)["eps"] == 1e-5
    with pytest.raises(ValueError, match=rf"{kind.__name__}\(3 -> 3.*expected x of shape \(\.\.\., 3\), got \(4, 2\)"):
        norm(np.ones((4, 2)))


def test_inference_of_layer_norm_is_the_output_of_forward(rng):
    layer = minidl.LayerNorm(4, dtype="float64")
    layer.weight, layer.bias = rng.standard_normal((2, 4))
    x = rng.standard_normal((5, 4))
    np.testing.assert_array_equal(layer.infer(x), layer.forward(x))
