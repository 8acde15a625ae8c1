"""Tables from files: what is read, and how whatever cannot be read is named."""

import gzip
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.tabular.reading import read_table


def written(name, content):
    content = content.encode() if isinstance(content, str) else content
    Path(name).write_bytes(content)
    return name


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "a,b\n1,x y\n2.5,\n"),
        ("t.csv", '\ufeff"a", b\r\n\r\n1,  "x y"\r\n2.5,\r\n\r\n'),
        ("t.csv", "a;b\n1;x y\n2,5;\n"),
        ("t.tsv", "a\tb\n1\tx y\n2.5\t\n"),
        ("t.txt", "a\tb\n1\tx y\n2.5\t\n"),
    ],
)
def test_dialects_of_csv(name, text):
    table = read_table([written(name, text)])
    assert table.frame.to_dict("list") == {"a": ["1", "2.5"], "b": ["x y", ""]}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "-,25", "2", "1,234"], ["1.5", "-.25", "2", "1.234"]),
        (["1,234", "2,345", "3", "4"], None),  # perhaps thousands
        (["1,5", "2.5", "3", "4"], None),  # which of the two?
        (["1,5,6", "a,5", "3", "4"], None),
    ],
)
def test_decimal_commas_between_tabs(cells, expected):
    """Numbers with commas are read where no cell of the file says that the comma is something else."""
    text = "a\tb\n" + "".join(f"{cell}\tx, y\n" for cell in cells)
    table = read_table([written("t.tsv", text)])
    assert table.frame["a"].tolist() == (expected or cells)
    assert set(table.frame["b"]) == {"x, y"}


def test_places_are_lines_whatever_stands_between():
    written("one.csv", 'a,b\n\n1,"two\nlines"\n  \n2,x\n')
    written("two.csv", "b,a\ny,3\n")
    table = read_table(["one.csv", "two.csv"])
    assert table.frame["a"].tolist() == ["1", "2", "3"]
    assert [table.place(row) for row in range(3)] == ["one.csv: line 4", "one.csv: line 6", "two.csv: line 2"]
    some = table.take(np.array([1, 2]))
    assert [some.place(row) for row in range(2)] == ["one.csv: line 6", "two.csv: line 2"]
    assert some.frame["a"].tolist() == ["2", "3"]


def test_a_pattern_is_all_files_in_order():
    for number in (2, 1):
        written(f"part{number}.csv", f"a,b\n{number},x\n")
    assert read_table(["part*.csv"]).frame["a"].tolist() == ["1", "2"]
    written("part[1].csv", "a,b\n7,x\n")  # a name, although it could be a pattern
    assert read_table(["part[1].csv"]).frame["a"].tolist() == ["7"]


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,2\n")))
    table = read_table(["-"])
    assert (table.frame["b"].tolist(), table.place(0)) == (["2"], "standard input: line 2")


def test_npz_and_parquet():
    np.savez("t.npz", x=np.arange(6.0).reshape(3, 2), y=np.array(["p", "q", "p"]))
    table = read_table(["t.npz"])
    assert list(table.frame.columns) == ["x_0", "x_1", "y"]
    assert table.place(2) == "t.npz: row 3"
    pytest.importorskip("pyarrow")
    table.frame.to_parquet("t.parquet")
    pd.testing.assert_frame_equal(read_table(["t.parquet"]).frame, table.frame)


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch):
    def missing(*_, **__):
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(ValueError, match=r"pip install 'minidl-experiments\[parquet\]'"):
        read_table(["t.parquet"])


@pytest.mark.parametrize(("name", "text"), [("t.csv.gz", "a,b\n1,x\n"), ("t.tsv.gz", "a\tb\n1\tx\n")])
def test_files_compressed_by_gzip(name, text):
    packed = gzip.compress(text.encode())
    table = read_table([written(name, packed)])
    assert (table.frame.to_dict("list"), table.place(0)) == ({"a": ["1"], "b": ["x"]}, f"{name}: line 2")
    for damaged in (packed[:-9], packed[:12] + b"\xff" + packed[13:], packed[:2]):
        with pytest.raises(ValueError, match=f"{re.escape(name)}: expected a gzip file: "):
            read_table([written(name, damaged)])


def test_a_column_without_a_name_is_left_out():
    table = read_table([written("t.csv", ",a\n0,5\n1,6\n")])
    assert (list(table.frame.columns), table.unnamed) == (["a"], ("column 1",))


WRONG = {
    "an empty file": ("", "t.csv: expected a line of column names and rows of data, got an empty file"),
    "blank lines": ("\n \n", "got an empty file"),
    "names alone": ("a,b\n", "t.csv: expected rows of data below the column names, got none"),
    "no names": ("1,2\n3,4\n", "t.csv: line 1: expected the names of the columns, got numbers"),
    "a short row": ("a,b\n1,2\n3\n", "t.csv: line 3: expected 2 cells, as in the first line, got 1"),
    "a long row": ("a,b\n\n1,2,3\n", "t.csv: line 3: expected 2 cells, as in the first line, got 3"),
    "an open quote": ('a,b\n1,"2\n3,4\n', "t.csv: line 3: unexpected end of data"),
    "a name twice": ("a,b,a\n1,2,3\n", "t.csv: expected columns of different names, got 'a' 2 times"),
    "Latin-1": ("a,b\n1,2\n3,é\n".encode("latin-1"), "t.csv: line 3: expected text in UTF-8, got the byte 0xe9"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "expected text in UTF-8, got UTF-16"),
    "quotes on a line": (
        'a,b\n1,2\n""\n',
        "t.csv: expected empty lines between rows to be blank, got one with an empty",
    ),
    "a space of another kind": ("a,b\n1,2\n\u00a0\n", "t.csv: line 3: expected 2 cells"),
    "hardly a name": ("\r;", "t.csv: No columns"),
    "a NUL": ("a,b\n1,\0\n", "t.csv: line 2: expected text, got a NUL byte"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_table_is_named(content, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_table([written("t.csv", content)])


def test_other_files_are_named():
    written("t.csv", "a,weight\n1,2\n")
    with pytest.raises(ValueError, match=r"x\*\.csv: no file has such a name"):
        read_table(["x*.csv"])
    with pytest.raises(ValueError, match=r"t\.csv: expected each file once"):
        read_table(["t.csv", "t*.csv"])
    with pytest.raises(FileNotFoundError):
        read_table(["none.csv"])
    with pytest.raises(ValueError, match="expected a file of data"):
        read_table([])
    with pytest.raises(
        ValueError, match=r"u\.csv: expected the columns of t\.csv.*no 'weight'; did you mean 'weights'"
    ):
        read_table(["t.csv", written("u.csv", "a,weights\n1,2\n")])
    for name in ("t.npz", "t.parquet"):
        with pytest.raises(ValueError, match=f"{name}: expected a"):
            read_table([written(name, b"nonsense")])
    np.savez("l.npz", a=np.zeros(2), b=np.zeros(3))
    with pytest.raises(ValueError, match=r"l\.npz: expected arrays of the same length"):
        read_table(["l.npz"])
    np.savez("c.npz", a=np.zeros((2, 2)), a_1=np.zeros(2))
    with pytest.raises(ValueError, match=r"c\.npz: .*the columns of 'a_1' have the name of another array, 'a_1'"):
        read_table(["c.npz"])
    np.savez("o.npz", a=np.array([object()]))
    with pytest.raises(ValueError, match=r"o\.npz: expected an \.npz file of arrays without pickles"):
        read_table(["o.npz"])
