"""A network at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minidl.arrays.backend import dtype_name
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec
from minidl.training.engines import choose_engine


def summary(model: Module) -> str:
    """Return a table of the layers and their parameters.

    Parameters
    ----------
    model : Module

    Returns
    -------
    str
        One line per layer, those inside containers included, and the total: parameters, dtype, backend, memory of the
        values in bytes, and the engine that `fit` and `predict` will use, with the reason if it is not the native one.

    Examples
    --------
    >>> import minidl
    >>> model = minidl.Sequential([minidl.Linear(2, 25), minidl.ReLU(), minidl.Linear(25, 2)])
    >>> print(summary(model))  # doctest: +ELLIPSIS
    layer                   parameters
    0      Linear(2 -> 25)          75
    1      ReLU                      0
    2      Linear(25 -> 2)          52
    total                          127
    float32, numpy, 508 bytes
    engine: ...
    """
    records = list(_all(model.spec()))
    path = max([6, *(len(record.path) for record in records)])
    left = [f"{record.path:<{path}} {record}" for record in records]
    counts = [f"{sum(param.size for param in record.params):,}" for record in records]
    total = f"{model.values.shape[-1]:,}"
    width = max(map(len, ["total", *left]))
    column = max(map(len, ["parameters", *counts, total])) + 2
    lines = [f"{'layer':<{width}}{'parameters':>{column}}"]
    lines += [f"{text:<{width}}{number:>{column}}" for text, number in zip(left, counts, strict=True)]
    lines.append(f"{'total':<{width}}{total:>{column}}")
    replicates = f"{' x '.join(map(str, model.replicate_shape))} replicates, " if model.replicate_shape else ""
    lines.append(f"{replicates}{dtype_name(model.dtype)}, {model.backend.name}, {model.values.nbytes:,} bytes")
    lines.append(f"engine: {_engine_of(model)}")
    return "\n".join(lines)


def _all(records: Iterable[LayerSpec]) -> Iterator[LayerSpec]:
    """Iterate over records, each followed by those of the layers inside."""
    for record in records:
        yield record
        yield from _all(record.children)


def _engine_of(model: Module) -> str:
    """Return the engine that `fit` and `predict` will use; where it was asked for and cannot run, why."""
    try:
        return choose_engine("summary", model, None).words
    except ValueError:
        return choose_engine("summary", model, "auto").words
