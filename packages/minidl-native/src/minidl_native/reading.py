"""Reads a network's records into the tables that the engine takes, or says why it cannot run that network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, prod
from typing import Any

import numpy as np

KINDS = ("Linear", "ReLU", "LeakyReLU", "Tanh", "Sigmoid", "Dropout")
LOSSES = ("MSELoss", "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss")
OPTIMIZERS = ("SGD", "Adam")

_NUMBERS = {"Linear": "lr", "LeakyReLU": "alpha", "Dropout": "p_drop"}
_OPTIONS = {"Linear": {"bias", "lr"}, "LeakyReLU": {"alpha", "lr"}, "Dropout": {"p_drop", "lr"}}


class UnsupportedError(ValueError):
    """The engine cannot run this network or this training; the message is a short clause that says why.

    Examples
    --------
    >>> import minidl_native
    >>> minidl_native.check([], dtype="float16", lead=())
    Traceback (most recent call last):
    minidl_native.reading.UnsupportedError: float16
    """


@dataclass(frozen=True)
class Tables:
    """A network as the engine takes it.

    Attributes
    ----------
    layers : ndarray of int64, shape (count, 5)
        Kind, width of input and output, and where weight and bias begin (-1: none).
    numbers : ndarray of float64, shape (count, replicates)
        The learning rate of a Linear (nan: none), alpha or p_drop.
    size : int
        Of the vector of one network.
    """

    layers: np.ndarray
    numbers: np.ndarray
    size: int


def check(
    spec: Sequence[Any], *, dtype: str, lead: tuple[int, ...], loss: str | None = None, optimizer: str | None = None
) -> None:
    """Raise unless the engine can run a network, and train it with this loss and optimizer.

    Parameters
    ----------
    spec : sequence of LayerSpec
        ``model.spec()``.
    dtype : str
    lead : tuple of int
        The replicate axes.
    loss, optimizer : str, optional
        Names of their classes.

    Raises
    ------
    UnsupportedError

    Examples
    --------
    >>> import minidl, minidl_native
    >>> minidl_native.check(minidl.Linear(2, 3).spec(), dtype="float32", lead=(), loss="MSELoss", optimizer="Adam")
    """
    check_kind(dtype, lead)
    for record in spec:
        _check_record(record)
    if not any(record.kind == "Linear" for record in spec):
        raise UnsupportedError("a network without a Linear")
    if loss is not None:
        check_loss(spec[-1].kind, loss)
    if optimizer is not None and optimizer not in OPTIMIZERS:
        raise UnsupportedError(f"{optimizer} is not an optimizer that it knows")


def check_kind(dtype: str, lead: tuple[int, ...]) -> None:
    """Raise UnsupportedError for a dtype or replicate axes that the engine does not know."""
    if dtype not in ("float32", "float64"):
        raise UnsupportedError(f"{dtype}")
    if len(lead) > 1:
        raise UnsupportedError(f"{len(lead)} replicate axes")


def check_loss(last: str, loss: str) -> None:
    """Raise UnsupportedError for a loss that it does not know, or that does not suit the last layer."""
    if loss not in LOSSES:
        raise UnsupportedError(f"{loss} is not a loss that it knows")
    if loss == "BCELoss" and last != "Sigmoid":
        raise UnsupportedError("BCELoss without a final Sigmoid, whose predictions might lie outside [0, 1]")


def read(spec: Sequence[Any], lead: tuple[int, ...]) -> Tables:
    """Return the tables of a network that `check` has passed."""
    replicates = lead[0] if lead else 1
    width = next(record.in_features for record in spec if record.kind == "Linear")
    layers = np.empty((len(spec), 5), np.int64)
    numbers = np.empty((len(spec), replicates))
    size = 0
    for row, own, record in zip(layers, numbers, spec, strict=True):
        starts = {param.name: param.start for param in record.params}
        below, width = width, record.out_features if record.kind == "Linear" else width
        known = record.in_features if record.kind == "Linear" else below
        row[:] = KINDS.index(record.kind), known, width, starts.get("weight", -1), starts.get("bias", -1)
        own[:] = dict(record.options).get(_NUMBERS.get(record.kind), nan)
        size = max([size, *(param.start + prod(param.shape) for param in record.params)])
    return Tables(layers, numbers, size)


def bit_generators(generators: Sequence[Sequence[np.random.Generator]], p_drops: np.ndarray) -> list[list[Any]]:
    """Return the bit generators of each Dropout, and None where nothing is drawn."""
    owners: dict[int, int] = {}
    found = []
    for own, p_drop in zip(generators, p_drops, strict=False):
        if len(own) != len(p_drop):
            raise ValueError(f"minidl_native: expected {len(p_drop)} generators for a Dropout, got {len(own)}")
        found.append([generator.bit_generator if p else None for generator, p in zip(own, p_drop, strict=True)])
        for r, generator in enumerate(own):  # also where p_drop is 0 now: it may be another in the next epoch
            if type(generator) is not np.random.Generator:
                raise UnsupportedError(f"a {type(generator).__name__} that may draw in its own way")
            if owners.setdefault(id(generator.bit_generator), r) != r:
                raise UnsupportedError("replicates that draw from one generator")
    return found


def _check_record(record: Any) -> None:
    place = f"layers[{record.path}]: {record.kind}"
    if getattr(record, "origin", "minidl") != "minidl" or record.kind not in KINDS or record.children:
        raise UnsupportedError(f"{place} is not a layer that it knows")
    strange = [name for name, _ in record.options if name not in _OPTIONS.get(record.kind, {"lr"})]
    if strange:
        raise UnsupportedError(f"{place} has an option that it does not know, {strange[0]}")
    shapes = {param.name: param.shape for param in record.params}
    weight = (record.out_features, record.in_features)
    if shapes not in (
        ({"weight": weight}, {"weight": weight, "bias": weight[:1]}) if record.kind == "Linear" else ({},)
    ):
        raise UnsupportedError(f"{place} has other parameters than it knows")
