"""Rows that are trained on, validated on and tested on."""

import numpy as np
import pytest

from minidl_experiments.tabular.split import folds, hold_out

LABELS = np.repeat([0, 1, 2], [50, 40, 13])


@pytest.mark.parametrize("labels", [LABELS, None], ids=["classes", "numbers"])
def test_every_row_is_in_one_fold(labels):
    parts = folds(labels, 103, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([part.test for part in parts])), np.arange(103))
    for part in parts:
        np.testing.assert_array_equal(np.sort(np.concatenate(part)), np.arange(103))
        assert len(part.test) in (20, 21)


def test_folds_have_the_shares_of_the_classes():
    counts = np.array(
        [np.bincount(LABELS[part.test], minlength=3) for part in folds(LABELS, 103, 5, np.random.default_rng(1))]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()


def test_a_test_set_has_the_shares_of_the_classes():
    part = hold_out(LABELS, 103, 21, np.random.default_rng(0))
    assert not set(part.test) & set(part.train)
    assert len(part.test) + len(part.train) == 103
    np.testing.assert_allclose(np.bincount(LABELS[part.test]), 21 * np.bincount(LABELS) / 103, atol=1)


def test_another_seed_draws_other_rows():
    one, other = (hold_out(LABELS, 103, 21, np.random.default_rng(seed)) for seed in (0, 1))
    assert set(one.test) != set(other.test)
