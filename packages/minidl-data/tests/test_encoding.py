"""One-hot targets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from minidl_data import inside, make_disk, one_hot


@given(
    y=nps.arrays(
        st.sampled_from([np.int8, np.uint8, np.int64, np.uint64]),
        nps.array_shapes(min_dims=0, min_side=0),
        elements=st.integers(0, 6),
    ),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_one_at_the_class_and_zero_elsewhere(y, dtype):
    targets = one_hot(y, 7, dtype=dtype)
    assert targets.dtype == dtype
    assert targets.shape == (*y.shape, 7)
    for index, label in np.ndenumerate(y):
        assert targets[index].tolist() == [float(k == label) for k in range(7)]


def test_two_classes_and_float32_are_the_default():
    x, y = make_disk(1000, rng=0)
    targets = one_hot(y)
    assert (targets.shape, targets.dtype) == ((1000, 2), np.float32)
    np.testing.assert_array_equal(targets[:, 1], y)
    np.testing.assert_array_equal(targets[:, 0], 1 - y)
    np.testing.assert_array_equal(one_hot(inside(x)), targets)


def test_classes_missing_from_y_keep_their_column():
    assert one_hot([0, 0], 3).tolist() == [[1, 0, 0], [1, 0, 0]]


def test_labels_are_not_modified():
    y = np.array([1, 0, 1])
    y.flags.writeable = False
    one_hot(y)[...] = 5
    assert y.tolist() == [1, 0, 1]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_every_class_of_a_narrow_dtype(dtype):
    y = np.arange(128).astype(dtype)
    np.testing.assert_array_equal(one_hot(y, 128), np.eye(128))
