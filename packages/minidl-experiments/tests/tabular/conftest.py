"""What the tests of own data share: tables on the disk, and the command."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from minidl_experiments.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs `minidl` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def runs(*args, **more):
        return CliRunner().invoke(app, [str(arg) for arg in args], **more)

    return runs


@pytest.fixture
def fails(run):
    """Return a function that checks an error: one line, exit code 2, nothing printed, nothing written."""

    def check(message, *args, **more):
        result = run(*args, **more)
        assert result.exit_code == 2, result.output
        (line,) = result.stderr.splitlines()
        assert line.startswith("minidl: ")
        assert message in line
        assert result.stdout == ""

    return check


@pytest.fixture
def unrendered(monkeypatch):
    """Draw the pictures, but do not turn them into PNG, which takes longer than a short training."""
    monkeypatch.setattr(Figure, "savefig", lambda _, file, **__: file.write(b""))


def rows_of(count=60, seed=0):
    """Return text of CSV: two numbers, a colour, classes that depend on them, and a number that does."""
    rng = np.random.default_rng(seed)
    lines = ["size,weight,colour,kind,price"]
    for _ in range(count):
        size, weight = rng.normal(10, 3), rng.normal(1000, 200)
        colour = rng.choice(["red", "green", "blue"])
        kind = "large" if (size > 10) != (colour == "red") else "small"
        price = 3 * size + weight / 100 + 5 * (colour == "blue") + rng.normal(0, 0.5)
        lines.append(f"{size:.3f},{weight:.1f},{colour},{kind},{price:.3f}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def csv(tmp_path):
    """Return the file of a table with numbers and text."""
    path = tmp_path / "things.csv"
    path.write_text(rows_of(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return the content of a model file of two networks that predict the column `kind`."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "t.csv").write_text(rows_of(), encoding="utf-8")
    options = ["--target", "kind", "--drop", "price", "--epochs", "3", "--networks", "2", "--out", str(folder)]
    result = CliRunner().invoke(app, ["train", str(folder / "t.csv"), *options])
    assert result.exit_code == 0, result.output
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def model(trained, tmp_path):
    """Return the file of a model of classes, which has been trained for some epochs."""
    (tmp_path / "before").mkdir()
    (tmp_path / "before/model.safetensors").write_bytes(trained)
    return "before/model.safetensors"


@pytest.fixture
def frame_of():
    """Return a function that makes a table of numbers, of which some are missing, and text."""

    def make(rows=700, seed=0):
        """Return numbers, some missing and some huge, text, a constant, classes and a number."""
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({"id": np.arange(rows), "far": 1e9 + rng.normal(size=rows), "same": np.ones(rows)})
        frame["gaps"] = np.where(rng.random(rows) < 0.2, np.nan, rng.exponential(size=rows))
        frame["colour"] = rng.choice(["red", "green", None], rows)
        frame["kind"] = np.where((frame["colour"] == "red") | (frame["far"] > 1e9), "b", "a")
        frame["price"] = 2 * frame["far"] - 2e9 + rng.normal(size=rows)
        return frame

    return make


@pytest.fixture
def parquet(tmp_path, frame_of):
    """Return a function that writes a Parquet file with row groups of some size."""

    def write(size=100, name="d.parquet", frame=None):
        (frame_of() if frame is None else frame).to_parquet(tmp_path / name, row_group_size=size)
        return str(tmp_path / name)

    return write
