"""Words of messages and of pictures."""

import shlex

import pytest

from minidl_experiments.tabular.words import all_shortened, asked, shortened, why_text


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2024-01-31", "2024-02-01 12:30", "later"], "'2024-01-31' is a date: "),
        (["31.1.24", "1.12.2024"], "'31.1.24' is a date: "),
        (["1/2/2024T10"], "'1/2/2024T10' is a date: "),
        (["1-2.2024", "1,5", "2,5"], "'1,5' is no number: "),
        (["5 %", "6 %"], "'5 %' is no number: "),
        (["1.2.x", "1.2.3.4"], ""),
        (["red", "blue"], ""),
        ([], ""),
    ],
)
def test_texts_that_were_meant_as_something_else(texts, expected):
    assert why_text(texts).startswith(expected)
    assert bool(why_text(texts)) == bool(expected)


def test_options_as_a_shell_takes_them():
    assert (
        asked("--drop", ["a_b", "größe", "x y", "sepal (cm)"])
        == '--drop a_b --drop größe --drop "x y" --drop "sepal (cm)"'
    )
    assert asked("--drop", list("abcdefg")) == "--drop a --drop b --drop c --drop d --drop e ..."
    odd = ['price "$"', "-x", "$HOME x", "it's `y`"]
    assert shlex.split(asked("--drop", odd)) == ["--drop", odd[0], "--drop=-x", "--drop", odd[2], "--drop", odd[3]]


def test_long_names_stay_different():
    assert all_shortened(["a", "a name that is long"]) == ["a", "a name that is …"]
    names = [f"species number {i}" for i in (2, 10, 11)]
    assert [shortened(name) for name in names] == ["species number 2", "species number …", "species number …"]
    assert all_shortened(names) == ["species number 2", "…ecies number 10", "…ecies number 11"]
    assert all(len(name) <= 16 for name in all_shortened(names))
    assert shortened("$5") == r"\$5"
