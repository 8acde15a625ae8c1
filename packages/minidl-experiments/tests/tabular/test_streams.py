"""`minidl train --stream`: the same preprocessing and the same training as in memory, piece by piece."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import minidl
from minidl_experiments.streaming import batches as batches_module
from minidl_experiments.streaming import source
from minidl_experiments.streaming.batches import Batches, encode
from minidl_experiments.streaming.roles import UNUSED, Role, Roles
from minidl_experiments.streaming.source import Pieces
from minidl_experiments.streaming.survey import survey
from minidl_experiments.streaming.training import train_stream
from minidl_experiments.tabular.cells import read_features
from minidl_experiments.tabular.encoder import Encoder, NumberColumn
from minidl_experiments.tabular.model_file import load_model
from minidl_experiments.tabular.networks import build_loss, build_network, loss_for, optimizer_for
from minidl_experiments.tabular.options import read_options
from minidl_experiments.tabular.reading import read_table
from minidl_experiments.tabular.target import read_targets

pytest.importorskip("pyarrow")
ROWS = 700
SHORT = ["--epochs", 2, "--networks", 2]


def options_of(path, target="kind", **flags):
    return read_options(None, {"data": (path,), "target": (target,), "stream": True, **flags})


def surveyed(path, target="kind", **flags):
    return survey(Pieces([path]), options_of(path, target, **flags))


def assert_close(one, other):
    """Compare two ways to sum: they differ by some units of the last digit of the mean, as do deviations."""
    for a, b in zip(one.columns, other.columns, strict=True):
        assert type(a) is type(b)
        if isinstance(a, NumberColumn):
            assert (a.name, a.median, a.flag) == (b.name, b.median, b.flag)
            np.testing.assert_allclose([a.mean, a.std], [b.mean, b.std], rtol=1e-12, atol=4 * np.spacing(abs(a.mean)))
        else:
            assert a == b


@pytest.mark.parametrize(("size", "rows"), [(1, 100), (7, 700), (100, 700), (10_000, 700)])
def test_the_preprocessing_is_that_of_the_training_rows_in_memory(parquet, frame_of, size, rows, monkeypatch):
    monkeypatch.setattr(source, "PIECE", 64)
    path = parquet(size, frame=frame_of(rows))
    found = surveyed(path, "price")
    table = read_table([path])
    train = np.flatnonzero(found.roles.of(0, rows) != Role.TEST)
    expected = Encoder.fit(read_features(table, [n for n in table.frame.columns if n != "price"], []), train)
    assert found.encoder.kinds == expected.kinds
    assert found.encoder.constant == expected.constant == ("same",)
    assert found.encoder.features == expected.features
    assert_close(found.encoder, expected)
    y = read_targets(table, ("price",))[train]
    np.testing.assert_allclose(found.target.scaling, [y.mean(axis=0), y.std(axis=0)], rtol=1e-12)


def test_the_size_of_the_pieces_does_not_matter(parquet):
    one, two = (surveyed(parquet(size, f"{size}.parquet")) for size in (9, 400))
    assert one.rows == two.rows
    for name in ("test", "validation", "sample"):
        pd.testing.assert_frame_equal(getattr(one, name).frame, getattr(two, name).frame)
    assert_close(one.encoder, two.encoder)


def test_roles_are_those_of_the_shares_and_of_each_row_alone():
    roles = Roles(100_000, 0.2, 0.15, seed=1)
    whole = roles.of(0, 100_000)
    np.testing.assert_array_equal(whole[777:5000], roles.of(777, 4223))
    shares = np.bincount(whole) / len(whole)
    np.testing.assert_allclose(shares, [0.8 * 0.85, 0.8 * 0.15, 0.2], atol=0.005)
    assert (Roles(100_000, 0.2, 0.0, seed=1).of(0, 100_000) != Role.VALIDATION).all()
    assert UNUSED not in set(whole.tolist())


def test_of_many_rows_few_are_kept():
    roles = Roles(10**9, 0.2, 0.15, seed=1)
    found = np.concatenate([roles.of(start, 10**6) for start in (0, 5 * 10**8)])
    assert np.mean(found == Role.TEST) == pytest.approx(1e-4, rel=0.3)
    assert np.mean(found == Role.VALIDATION) == pytest.approx(5e-5, rel=0.4)
    assert np.mean(roles.sampled(0, 10**6)) == pytest.approx(1e-4, rel=0.4)


def ids_of(found, x):
    """Return the rows of encoded inputs, whose first column is their number."""
    column = found.encoder.columns[0]
    return np.round(x[:, 0].astype(float) * column.std + column.mean).astype(int)


def test_an_epoch_has_each_training_row_once_in_a_new_order(parquet, monkeypatch):
    monkeypatch.setattr(batches_module, "BUFFER", 128)
    found = surveyed(parquet(30))
    expected = np.flatnonzero(found.roles.of(0, ROWS) == Role.TRAIN)
    batches, again = Batches(found, 16, 5), Batches(found, 16, 5)
    orders = []
    for _ in range(3):
        parts = [x for x, _ in batches()]
        assert {len(part) for part in parts[:-1]} == {16}
        assert sum(map(len, parts)) == found.rows == len(expected)
        orders.append(ids_of(found, np.concatenate(parts)))
        np.testing.assert_array_equal(np.sort(orders[-1]), expected)
        np.testing.assert_array_equal(np.concatenate([x for x, _ in again()]), np.concatenate(parts))
    assert not np.array_equal(orders[0], orders[1])
    assert np.abs(np.corrcoef(orders[0], np.arange(found.rows))[0, 1]) < 0.5  # the rows of a group do not stay together


@pytest.mark.parametrize(("target", "networks"), [("kind", 2), ("price", 1)])
def test_the_training_is_that_of_the_same_rows_in_memory(parquet, target, networks):
    path = parquet(90)
    options = options_of(path, target, networks=networks, epochs=3, early_stopping=False, batch_size=32)
    found = survey(Pieces([path]), options)
    trained = train_stream(found, options, lambda *_: None)
    table = read_table([path])
    rows = np.flatnonzero(found.roles.of(0, ROWS) == Role.TRAIN)
    x, y = encode(found, table.take(rows))
    stream = Batches(found, 32, options.seed)
    orders = iter([np.searchsorted(rows, ids_of(found, np.concatenate([x for x, _ in stream()]))) for _ in range(3)])
    seeds = [np.random.SeedSequence([0, i]).spawn(3)[1] for i in range(networks)]
    model = minidl.replicate(lambda rng: build_network(options, x.shape[1], found.target.outputs, rng), seeds)
    loss = build_loss(loss_for(options, found.task), found.target)
    optimizer = optimizer_for(options, model, found.rows, 1)
    minidl.fit(model, loss, optimizer, x, y, epochs=3, batch_size=32, shuffle=lambda: next(orders))
    np.testing.assert_array_equal(trained.model.values, model.values)


@pytest.mark.usefixtures("unrendered")
def test_arrays_are_read_like_tables(run, tmp_path, frame_of):
    frame = frame_of()[["far", "gaps", "price"]]
    np.save(tmp_path / "d.npy", frame.to_numpy())
    np.save(tmp_path / "fortran.npy", np.asfortranarray(frame.to_numpy()))
    np.save(tmp_path / "records.npy", frame.to_records(index=False))
    frame.to_parquet(tmp_path / "d.parquet")
    values = []
    for name, target in (
        ("d.npy", "column_2"), ("fortran.npy", "column_2"), ("records.npy", "price"), ("d.parquet", "price")
    ):  # fmt: skip
        result = run("train", name, "--target", target, "--stream", *SHORT, "--out", f"{name}.out")
        assert result.exit_code == 0, result.output
        values.append(load_model(f"{name}.out/model.safetensors").network.values)
        found = run("predict", f"{name}.out/model.safetensors", name)
        assert len(found.stdout.splitlines()) == ROWS + 1
    for other in values[1:]:
        np.testing.assert_array_equal(values[0], other)


def test_train_prints_and_writes(run, parquet, tmp_path, frame_of):
    paths = [parquet(100, "part1.parquet"), parquet(50, "part2.parquet", frame_of(300, seed=1))]
    result = run("train", *paths, "--target", "kind", "--drop", "id", "--stream", *SHORT, "--out", "one")
    assert result.exit_code == 0, result.output
    assert "data: 1000 rows in 13 groups, read piece by piece\n" in result.stdout
    assert "task: classes (2 different texts in 'kind')\n" in result.stdout
    assert re.search(r"note: column 'gaps': \d+ missing cells in the training rows, taken as the median", result.stdout)
    assert re.search(r"memory: at most \d+ MB \(of the whole process\)\n", result.stdout)
    page = (tmp_path / "one/report.html").read_text(encoding="utf-8")
    assert "1000 rows in 13 groups" in page
    assert len(result.stderr.splitlines()) == 2
    assert run("evaluate", "one/model.safetensors", *paths).exit_code == 0
    again = run("train", "--from", "one/model.toml", "--out", "two")
    assert again.exit_code == 0, again.output
    one, two = (load_model(f"{name}/model.safetensors").network for name in ("one", "two"))
    np.testing.assert_array_equal(one.values, two.values)


@pytest.mark.usefixtures("unrendered")
def test_a_stream_learns_what_networks_in_memory_learn(run, parquet, frame_of):
    path = parquet(200, frame=frame_of(4000))
    options = ["--target", "price", "--drop", "id", "--networks", 2, "--epochs", 12]
    scores = []
    for more in (["--stream"], []):
        result = run("train", path, *options, *more)
        assert result.exit_code == 0, result.output
        scores.append(float(re.search(r"R² +(\d\.\d+)", result.stdout)[1]))
    assert min(scores) > 0.7  # four fifths of the variance can be explained
    assert abs(scores[0] - scores[1]) < 0.05


@pytest.mark.usefixtures("unrendered")
def test_rows_without_a_target_are_left_out_or_refused(run, parquet, frame_of):
    frame = frame_of()
    frame.loc[5:20, "kind"] = None
    path = parquet(100, frame=frame)
    result = run("train", path, "--target", "kind", "--stream", *SHORT)
    assert result.exit_code == 2
    assert f"{path}: row 6: no target in kind" in result.stderr
    result = run("train", path, "--target", "kind", "--stream", "--drop-unlabelled", *SHORT)
    assert result.exit_code == 0, result.output
    assert "note: 16 rows without a target: left out" in result.stdout


@pytest.mark.usefixtures("unrendered")
def test_guesses_are_those_of_a_training_in_memory(run, parquet, frame_of):
    frame = frame_of()
    frame["digit"] = frame["id"] % 3
    frame["flag"] = frame["id"] % 2 == 0
    path = parquet(100, frame=frame)
    for target in ("digit", "flag", "kind", "price", "id"):
        said = [
            re.search("task: (.*)", run("train", path, "--target", target, *SHORT, *more, "--epochs", 1).stdout)[1]
            for more in (["--stream"], [])
        ]
        rows = r"\d+ different"  # a stream counts those of the training rows
        assert re.sub(rows, "n different", said[0]) == re.sub(rows, "n different", said[1])


def test_quantiles_and_several_targets(run, parquet, frame_of):
    path = parquet(100, frame=frame_of(2000))
    result = run("train", path, "--target", "price", "--drop", "id", "--stream", *SHORT, "--loss", "quantile")
    assert result.exit_code == 0, result.output
    assert "rows between the quantiles 0.05 and 0.95" in result.stdout
    result = run("train", path, "--target", "price", "--target", "far", "--stream", *SHORT, "--out", "two")
    assert result.exit_code == 0, result.output
    assert run("predict", "two/model.safetensors", path).stdout.startswith("price,far,price_std,far_std\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the peak of the memory is unknown there")
def test_the_memory_does_not_grow_with_the_rows(tmp_path):
    peaks = []
    for rows in (400_000, 4_000_000):
        path = tmp_path / f"{rows}.npy"
        array = np.lib.format.open_memmap(path, "w+", np.float32, (rows, 10))
        for start in range(0, rows, 100_000):
            array[start : start + 100_000] = np.random.default_rng(start).normal(size=(100_000, 10))
        array.flush()
        options = ["--target", "column_9", "--stream", "--epochs", "1", "--networks", "1", "--width", "4"]
        command = [sys.executable, "-m", "minidl_experiments", "train", str(path), *options, "--batch-size", "4096"]
        shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - this project's own program
        peaks.append(int(re.search(r"memory: at most (\d+) MB", shown.stdout)[1]))
    assert peaks[1] - peaks[0] < 80  # the larger file has 144 MB more
