import json
import sqlite3
from dataclasses import replace

import pytest

import minidl_experiments.sweep.results_file as module
from minidl_experiments.sweep import Definition, Result, Run, Store
from minidl_experiments.sweep.train import MEASURES

CURVES = {name: [0.1 + 0.2, 1 / 3] for name in MEASURES}
ENDS = {name: 1 / (3 + number) for number, name in enumerate(MEASURES)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.sqlite"


@pytest.fixture
def result(config):
    return Result(Run(config(), 3), ENDS, CURVES, None, 0.5)


def test_added_results_can_be_read_back(path, small, result, rows, config):
    lost = Result(Run(config(p_drop=0.1), 3), None, {name: [] for name in MEASURES}, (1, 2), 0.25)
    with Store(path, small) as store:
        store.add([result, lost])
    with Store(path, small) as store:
        assert store.accuracies() == {result.run: ENDS["test_accuracy"], lost.run: None}
        assert store.curves(result.run) == CURVES
    whole, gap = rows(path)
    assert whole[:7] == [1e-3, 5, "relu", "adam", 20, 0.0, 3]
    assert whole[7:11] == list(ENDS.values())
    assert whole[11:13] == [None, None]
    assert json.loads(whole[13]) == CURVES
    assert gap[7:13] == [None, None, None, None, 1, 2]


def test_a_run_is_stored_once(path, small, result):
    with Store(path, small) as store:
        store.add([result])
        store.add([replace(result, seconds=9.0)])
        assert len(store.accuracies()) == 1


def test_a_batch_is_written_in_one_transaction(path, small, result):
    broken = replace(result, run=Run(result.run.config, 4), seconds=None)
    with Store(path, small) as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.add([result, broken])
        assert store.accuracies() == {}
        store.add([result])
        assert len(store.accuracies()) == 1


def test_another_connection_may_read_at_the_same_time(path, small, result):
    with Store(path, small) as store, sqlite3.connect(path) as other:
        store.add([result])
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    other.close()


@pytest.mark.parametrize(
    ("definition", "difference"),
    [
        (Definition(epochs=3, samples=40), "with epochs 3, got one with epochs 2"),
        (Definition(epochs=2, samples=41), "with samples 41, got one with samples 40"),
    ],
)
def test_another_definition_is_refused(path, small, result, definition, difference):
    with Store(path, small) as store:
        store.add([result])
    with pytest.raises(ValueError, match=f"sweep.sqlite: expected the results of a sweep {difference}; choose another"):
        Store(path, definition)
    Store(path, small).__exit__(None, None, None)


def test_a_file_without_results_accepts_another_definition(path, small, result):
    Store(path, Definition(epochs=3, samples=40)).__exit__(None, None, None)
    with Store(path, small) as store:
        store.add([result])
    with pytest.raises(ValueError, match="with epochs 3, got one with epochs 2"):
        Store(path, Definition(epochs=3, samples=40))


def test_a_sweep_adds_nothing_after_another_definition_took_the_file(path, small, result):
    with Store(path, Definition(epochs=3, samples=40)) as slow, Store(path, small) as fast:
        fast.add([result])
        with pytest.raises(ValueError, match="with epochs 3, got one with epochs 2"):
            slow.add([replace(result, run=Run(result.run.config, 4))])
        assert len(fast.accuracies()) == 1


def test_another_version_is_refused(path, small, result, monkeypatch):
    with Store(path, small) as store:
        store.add([result])
    monkeypatch.setattr(module.importlib.metadata, "version", lambda package: f"{package} 99")
    with pytest.raises(ValueError, match=r"with minidl-core minidl-core 99, got one with minidl-core \d"):
        Store(path, small)


def test_another_file_is_refused(path, small):
    path.write_text("lr,width\n1,2\n" * 100, encoding="utf-8")
    with pytest.raises(ValueError, match="expected the results of a sweep, got another file: file is not a database"):
        Store(path, small)
    assert path.read_text(encoding="utf-8").startswith("lr,width")


def test_another_database_is_refused(path, small):
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE addresses (name)")
    file.close()
    with pytest.raises(ValueError, match="got another file: the tables are addresses"):
        Store(path, small)


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path, small):
    with pytest.raises(OSError, match="unable to open"):
        Store(tmp_path, small)
