"""The preprocessing: what columns become, and that only training rows decide it."""

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.tabular.cells import as_text, read_as, read_features
from minidl_experiments.tabular.encoder import Encoder
from minidl_experiments.tabular.reading import Source, Table

NAN = np.nan


def table_of(**columns):
    frame = pd.DataFrame(columns)
    return Table(frame, (Source("t.csv", "line", np.arange(2, len(frame) + 2)),))


def fitted(table, rows, categorical=()):
    cells = read_features(table, list(table.frame.columns), categorical)
    return Encoder.fit(cells, np.array(rows)), cells


def test_numbers_are_standardised_with_the_median_in_place_of_missing_cells():
    table = table_of(a=["1", "NA", "4", "1", "100"])
    encoder, cells = fitted(table, [0, 1, 2, 3])
    x = encoder.encode(cells, table.place)
    filled = np.array([1, 1, 4, 1, 100.0])  # 1 is the median of 1, 4 and 1
    np.testing.assert_allclose(x[:, 0], (filled - 1.75) / filled[:4].std(), rtol=1e-6)
    np.testing.assert_array_equal(x[:, 1], [0, 1, 0, 0, 0])
    assert encoder.features == ["a", "a is missing"]
    assert x.dtype == np.float32


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 1, 1, 1], ["a"]), ([0, 0, 1, 1], ["a"]), ([1, 1, 0, 0, 0], ["a"]), ([0, 1, 2, 1], []), ([0, 0.5, 1], [])],
)
def test_columns_of_zeros_and_ones_are_known(values, expected):
    table = table_of(a=[str(value) for value in values])
    encoder, _ = fitted(table, range(len(values)))
    assert list(encoder.binary) == expected


def test_text_is_one_hot_and_an_unseen_category_all_zeros():
    table = table_of(c=["red", "blue", "", "red", "pink"])
    encoder, cells = fitted(table, [0, 1, 2, 3])
    assert encoder.features == ["c = blue", "c = red", "c is missing"]
    expected = [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(encoder.encode(cells, table.place), expected)
    notes = encoder.notes(cells)
    assert any("'pink' not seen in training" in note for note in notes)
    assert any("1 missing cell" in note for note in notes)


def test_test_rows_do_not_change_the_preprocessing():
    rng = np.random.default_rng(0)
    numbers, colours = rng.normal(size=20), rng.choice(["red", "blue"], 20)
    train = np.arange(0, 20, 2)
    encoder, _ = fitted(table_of(a=numbers, c=colours), train)
    numbers[1::2], colours[1::2] = 1e6, "pink"  # the test rows
    numbers[3] = NAN
    other, _ = fitted(table_of(a=numbers, c=colours), train)
    assert other == encoder
    changed, _ = fitted(table_of(a=numbers, c=colours), [1, *train])
    assert changed != encoder


def test_constant_columns_are_left_out():
    table = table_of(a=[1.0, 1, 1, 2], b=["x", "x", "x", "y"], c=[NAN, NAN, NAN, 1], d=[1.0, 2, 3, 4])
    encoder, _ = fitted(table, [0, 1, 2])
    assert (encoder.features, encoder.constant) == (["d"], ("a", "b", "c"))
    with pytest.raises(ValueError, match="expected columns with different values, got the same in all rows of a, b"):
        fitted(table_of(a=[1.0, 1], b=["x", "x"]), [0, 1])


@pytest.mark.parametrize("scale", [1e140, 1e-140, 1e-300])
def test_huge_and_tiny_numbers_are_standardised(scale):
    table = table_of(a=(np.array([1.0, 2, 3]) * scale).tolist())
    encoder, cells = fitted(table, [0, 1, 2])
    x = encoder.encode(cells, table.place)
    np.testing.assert_allclose(x[:, 0], [-1.224745, 0, 1.224745], atol=1e-6)


def test_numbers_that_are_none_are_named_by_line():
    cells = [str(i) for i in range(9)]
    for text in ("1e151", "inf", "12 kg", "1,5"):
        with pytest.raises(
            ValueError,
            match=r"t\.csv: line 11: column 'a': expected a number(,| of at most 1e.150,) got .*--categorical a",
        ):
            fitted(table_of(a=[*cells, text]), range(9))


def test_a_number_far_out_is_refused_by_line():
    table = table_of(a=[0.0, 1, 2e7])
    encoder, cells = fitted(table, [0, 1])
    with pytest.raises(ValueError, match=r"t\.csv: line 4: column 'a': 2e\+07 is more than 1e\+06 standard deviations"):
        encoder.encode(cells, table.place)


def test_numbers_as_categories_and_too_many_texts():
    encoder, _ = fitted(table_of(a=[3.0, 1, 3, 10]), [0, 1, 2], categorical=["a"])
    assert encoder.features == ["a = 1", "a = 3"]
    names = [f"name {i}" for i in range(150)]
    with pytest.raises(ValueError, match=r"column name: more than 100 different texts.*--drop name"):
        fitted(table_of(name=names), range(150))
    more = (
        "columns name, day: more than 100 .* by --drop name --drop day, or .* by --categorical name --categorical day; "
    )
    with pytest.raises(ValueError, match=f"{more}day: '1/1/1900' is a date: write dates as numbers"):
        fitted(table_of(name=names, day=[f"1/1/{1900 + i}" for i in range(150)]), range(150))
    with pytest.raises(
        ValueError, match=r"column price: more than 100 .*; price: '\$ 0' is no number: write numbers without"
    ):
        fitted(table_of(price=[f"$ {i}" for i in range(150)]), range(150))
    encoder, _ = fitted(table_of(name=names), range(150), categorical=["name"])
    assert len(encoder.features) == 150


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        ([True, False], ["True", "False"]),
        ([1.0, 2.5], ["1", "2.5"]),
        ([3, 4], ["3", "4"]),
        ([" x ", None], ["x", ""]),
        (["1.0", "-2.00", "1.50", "v1.0", "01.0"], ["1", "-2", "1.50", "v1.0", "01"]),
        (["True", None], ["True", ""]),
    ],
)
def test_cells_as_text(column, texts):
    assert as_text(pd.Series(column)).entries.tolist() == texts


def test_dates_are_refused():
    table = table_of(day=pd.to_datetime(["2020-01-01", "2020-01-02"]))
    with pytest.raises(ValueError, match=r"column 'day': expected numbers or text, got datetime64.*--drop day"):
        fitted(table, [0, 1])


def test_new_data_must_have_the_columns():
    with pytest.raises(
        ValueError, match="expected the columns of the training, got none named 'weight'; did you mean 'Weights'"
    ):
        read_as(table_of(Weights=["1"]), {"weight": True})
    with pytest.raises(ValueError, match=r"t\.csv: line 2: column 'weight': expected a number"):
        read_as(table_of(weight=["heavy"]), {"weight": True})


def test_categories_do_not_depend_on_how_a_program_writes_whole_numbers():
    encoder, _ = fitted(table_of(a=["1", "2", "1"], b=["5", "6", "8"]), [0, 1, 2], categorical=["a"])
    table = table_of(a=["1.0", "", "2.0"], b=["5", "6", "8"])
    cells = read_as(table, encoder.kinds)
    np.testing.assert_array_equal(encoder.encode(cells, table.place)[:, :2], [[1, 0], [0, 0], [0, 1]])
    assert not any("not seen" in note for note in encoder.notes(cells))
