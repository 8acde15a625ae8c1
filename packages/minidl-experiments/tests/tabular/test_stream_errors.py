"""`minidl train --stream`: errors in one line, before anything is written."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")
ROWS = 700
SHORT = ["--epochs", 2, "--networks", 2]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, ["--target", "kinds"], "--target: d.parquet has no column 'kinds'; did you mean 'kind'?"),
        ({}, ["--target", "kind", "--drop", "x"], "--drop: d.parquet has no column 'x'"),
        ({}, [], "expected --target COLUMN, one of id, far,"),
        ({}, ["--target", "kind", "--cv", 3], "--stream: expected --test, got --cv, which needs all rows in memory"),
        ({}, ["--target", "kind", "--missing", "refuse"], "row 1: column 'gaps': the cell is missing"),
        ({}, ["--target", "kind", "--task", "regression"], "column 'kind': expected a number"),
        ({"names": [f"n{i}" for i in range(ROWS)]}, ["--target", "kind"], "more than 100 different texts"),
        ({"odd": ["1.5"] * (ROWS - 1) + ["x"]}, ["--target", "kind"], "row 700: column 'odd': expected a number"),
        ({"kind": "a"}, ["--target", "kind"], "expected at least two classes, got a alone"),
        (
            {"price": 1.0},
            ["--target", "price", "--task", "regression"],
            "expected different numbers, got the same",
        ),
        ({"when": pd.Timestamp("2020-01-01")}, ["--target", "kind"], "column 'when': expected numbers or text"),
        ({"huge": [1e160] * ROWS}, ["--target", "kind"], "column 'huge': expected a number of at most 1e+150"),
    ],
)
def test_hostile_tables(run, parquet, tmp_path, change, options, message, frame_of):
    frame = frame_of().assign(**change)
    frame.loc[0, "gaps"] = np.nan
    if "odd" in change:  # the row must be one of the training
        frame = pd.concat([frame] * 2, ignore_index=True)
        frame.loc[: ROWS - 2, "odd"] = "1.5"
        message = "column 'odd': expected a number"
    parquet(100, frame=frame)
    result = run("train", "d.parquet", *options, "--stream", *SHORT)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("minidl: ")
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["d.parquet"]


def test_hostile_files(fails, csv, tmp_path, frame_of):
    options = ["--target", "kind", "--stream"]
    fails("--stream: expected Parquet files or arrays in .npy files", "train", csv, *options)
    fails("--stream: expected Parquet files or arrays in .npy files", "train", "-", *options, input="a,b\n1,2\n")
    (tmp_path / "d.parquet").write_bytes(b"PAR1 no")
    fails("d.parquet: expected a Parquet file", "train", "d.parquet", *options)
    np.save(tmp_path / "three.npy", np.zeros((2, 2, 2)))
    fails("three.npy: expected an array (rows, columns), got one with 3 axes", "train", "three.npy", *options)
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    fails("objects.npy: expected an array without pickles in an .npy file", "train", "objects.npy", *options)
    np.save(tmp_path / "few.npy", np.zeros((9, 2)))
    fails("expected more rows to train, validate and test on", "train", "few.npy", "--target", "column_0", "--stream")
    frame_of(50).to_parquet(tmp_path / "a.parquet")
    frame_of(50).drop(columns="far").to_parquet(tmp_path / "b.parquet")
    fails("b.parquet: expected the columns of a.parquet, got no 'far'", "train", "a.parquet", "b.parquet", *options)
    frame_of(0).to_parquet(tmp_path / "empty.parquet")
    fails("--stream: expected rows of data, got none", "train", "empty.parquet", *options)
