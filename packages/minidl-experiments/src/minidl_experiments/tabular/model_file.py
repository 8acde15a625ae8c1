"""Files of models for tables: the networks as `minidl.save` writes them, and the rest as JSON in the metadata."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from typing import Any

import minidl
from minidl.files.safetensors import read
from minidl.files.strict_json import parse, shortened, words
from minidl_experiments.tabular.choices import KEY, Missing, Task
from minidl_experiments.tabular.encoder import Column, Encoder, NumberColumn, TextColumn
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.target import ClassTarget, NumberTarget, Target

FORMAT = 1
_NUMBER = {"name", "median", "mean", "std", "flag"}
_TEXT = {"name", "categories", "flag"}


def save_model(model: TableModel, path: str | os.PathLike[str]) -> None:
    """Write a model to one file, which `load_model` reads, and `minidl.load` the networks alone.

    Parameters
    ----------
    model : TableModel
    path : str or path
    """
    target = model.target
    task = Task.CLASSES if isinstance(target, ClassTarget) else Task.REGRESSION
    description = {
        "format": FORMAT,
        "missing": model.missing,
        "columns": [asdict(column) for column in model.encoder.columns],
        "constant": model.encoder.constant,
        "task": task,
        "target": asdict(target),
    }
    minidl.save(model.network, path, metadata={KEY: json.dumps(description, ensure_ascii=False, allow_nan=False)})


def load_model(path: str | os.PathLike[str]) -> TableModel:
    """Read a model that `save_model` has written, here or by anyone; no code of the file is run.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    ValueError
        Naming the file, for one that is damaged, has no preprocessing, or one that is not that of its networks.
    OSError
        If the file cannot be read.
    """
    _, metadata = read(path)
    name = os.fspath(path)
    if KEY not in metadata:
        raise ValueError(
            f"{name}: expected a model of `minidl train data.csv`, with the preprocessing of a table, got one without"
        )
    network = minidl.load(path)
    try:
        return _model(network, parse(metadata[KEY]))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: {KEY}: {shortened(error)}") from error


def _model(network: minidl.Module, data: Any) -> TableModel:
    """Return a model whose description may come from anywhere."""
    _check_fields("the description", data, {"format", "missing", "columns", "constant", "task", "target"})
    if data["format"] != FORMAT:
        raise ValueError(f"expected format {FORMAT}, got {words(data['format'])}")
    columns = tuple(map(_column, _list("columns", data["columns"])))
    encoder = Encoder(columns, _texts("constant", data["constant"]))
    target = _target(data["task"], data["target"])
    names = [column.name for column in columns]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"columns: expected different names, got {words(names)}")
    features = len(encoder.features)
    if len(network.replicate_shape) > 1 or (network.in_features, network.out_features) != (features, target.outputs):
        raise ValueError(
            f"expected networks with {features} inputs and {target.outputs} outputs, got {network.in_features} and "
            f"{network.out_features} with replicates {network.replicate_shape}"
        )
    if str(network.dtype) != "float32":
        raise ValueError(f"expected networks in float32, got {network.dtype}")
    return TableModel(network, encoder, target, Missing(_one_of("missing", data["missing"], tuple(Missing))))


def _column(data: Any) -> Column:
    if isinstance(data, dict) and "categories" in data:
        _check_fields("a column of text", data, _TEXT)
        categories = _texts("categories", data["categories"])
        if not categories or list(categories) != sorted(set(categories)):
            raise ValueError(f"categories: expected different texts in order, got {words(categories)}")
        return TextColumn(_text("name", data["name"]), categories, _flag(data["flag"]))
    _check_fields("a column of numbers", data, _NUMBER)
    median, mean, std = (_number(name, data[name]) for name in ("median", "mean", "std"))
    if not std > 0:
        raise ValueError(f"std: expected a number above 0, got {std}")
    return NumberColumn(_text("name", data["name"]), median, mean, std, _flag(data["flag"]))


def _target(task: Any, data: Any) -> Target:
    if _one_of("task", task, tuple(Task)) == Task.CLASSES:
        _check_fields("the target", data, {"name", "classes"})
        classes = _texts("classes", data["classes"])
        if len(classes) < 2 or len(set(classes)) != len(classes):
            raise ValueError(f"classes: expected at least two different ones, got {words(classes)}")
        return ClassTarget(_text("name", data["name"]), classes)
    _check_fields("the target", data, {"names", "means", "stds", "quantiles"})
    names = _texts("names", data["names"])
    means, stds, quantiles = (
        tuple(_number(name, value) for value in _list(name, data[name])) for name in ("means", "stds", "quantiles")
    )
    if not names or len(set(names)) != len(names) or not len(names) == len(means) == len(stds):
        raise ValueError(f"names: expected different ones with a mean and a std each, got {words(names)}")
    if any(std <= 0 for std in stds) or any(not 0 < quantile < 1 for quantile in quantiles):
        raise ValueError("expected stds above 0 and quantiles between 0 and 1")
    return NumberTarget(names, means, stds, quantiles)


def _check_fields(what: str, data: Any, names: set[str]) -> None:
    if not isinstance(data, dict) or data.keys() != names:
        got = words([*data]) if isinstance(data, dict) else words(data)
        raise ValueError(f"expected {what} to have {', '.join(sorted(names))}, got {got}")


def _list(name: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ValueError(f"{name}: expected a list, got {words(value)}")


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{name}: expected text, got {words(value)}")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(name, each) for each in _list(name, value))


def _number(name: str, value: Any) -> float:
    try:
        number = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:
        number = math.inf
    if math.isfinite(number):
        return number
    raise ValueError(f"{name}: expected a finite number, got {words(value)}")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"flag: expected true or false, got {words(value)}")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(f"{name}: expected one of {', '.join(allowed)}, got {words(value)}")
