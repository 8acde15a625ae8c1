"""What a script must have in common with the one whose training it goes on with, in words that compare."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.arrays.backend import describe, dtype_name, library_of
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.optim.rates import words_of
from minidl.parameters.spec import LayerSpec

_COMPARED = 8  # samples; more would take long where they lie in a file
_LISTED = 1000  # numbers, one per replicate; of more the shape is enough


@dataclass(frozen=True)
class Script:
    """A training as its script begins it.

    Parameters
    ----------
    model : Module
    loss : Loss
    optimizer : Optimizer
    samples : Samples
        All of them, or the first batch of a stream.
    options : mapping of str to value
        Of `fit`.
    """

    model: Module
    loss: Loss
    optimizer: Optimizer
    samples: Samples
    options: Mapping[str, Any]

    def words(self) -> dict[str, str]:
        """Return the parts of the training by their names, in words."""
        model, optimizer = self.model, self.optimizer
        records = [record for layer in model.spec() for record in layer.walk()]
        found = {f"layer {path or 'of the model'}": words for path, words in map(_layer, records)}
        found["arrays"] = f"{model.backend.name}, {dtype_name(model.dtype)}, replicates {model.replicate_shape}"
        found["loss"] = f"{self.loss!r} of {_origin(self.loss)}"
        found["optimizer"] = f"{type(optimizer).__name__} of {_origin(optimizer)}"
        names = ("lr", "kappa", "eta", *optimizer.settings)
        found |= {f"optimizer.{name}": _words(getattr(optimizer, name)) for name in names}
        if self.options["batch_size"] is not None:  # the first batch of a stream may be another each time
            found |= {name: describe(array) for name, array in (("x", self.samples.x), ("y", self.samples.y))}
            found["first samples"] = _checksum(self.samples)
        found["weights of samples"] = _words(self.samples.weight is not None)
        return found | {name: _words(value) for name, value in self.options.items()}


def compare(theirs: Any, ours: Mapping[str, str]) -> None:
    """Raise a ValueError that names the first part that is not as it was."""
    for name in {**theirs, **ours}:  # a TypeError where one is no dict
        expected, got = (each.get(name, "nothing") for each in (theirs, ours))
        if expected != got:
            raise ValueError(f"{name}: expected {expected}, as in the training to go on with, got {got}")


def _layer(record: LayerSpec) -> tuple[str, str]:
    """Return the path of a layer, and all that its record says in words."""
    shapes = [(param.name, param.shape) for param in record.params]
    widths = f"{record.in_features} -> {record.out_features}"
    frozen = ", frozen" if record.frozen else ""
    return record.path, f"{record.kind} of {record.origin}, {widths}, {dict(record.options)}, {shapes}{frozen}"


def _origin(thing: object) -> str:
    return type(thing).__module__.partition(".")[0]


def _words(value: Any) -> str:
    """Return a setting in words, every digit of a number included."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.tolist()}" if value.size <= _LISTED else describe(value)
    if isinstance(value, list | tuple):
        return f"({', '.join(describe(one) if hasattr(one, 'shape') else _words(one) for one in value)})"
    return words_of(value) if callable(value) else repr(value)


def _checksum(samples: Samples) -> str:
    """Return a checksum of the first samples: other data have another one."""
    found = 0
    for array in samples.rows(0, _COMPARED):
        found = zlib.crc32(np.ascontiguousarray(library_of(array, "fit").to_numpy(array)).tobytes(), found)
    return f"{found:08x}"
