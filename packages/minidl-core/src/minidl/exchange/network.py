"""A network as layers with their arrays, read from `record` and `state_dict`: what every format starts from."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minidl.arrays.backend import Array
from minidl.arrays.checks import check_kinds
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec
from minidl.training.originals import replaced_method

LOWEST_THRESHOLD = 20.0
"""Torch's softplus is x itself where beta x is above a threshold; at 20, its default, the two differ by 2e-9 / beta."""

TRAINING_ONLY = {"bias", "lr"}  # options of a record that no other format needs: a bias is among the arrays


@dataclass(frozen=True)
class Layer:
    """One layer of a network, with its numbers.

    Attributes
    ----------
    kind : str
        The name of its class in minidl.
    path : str
        Where it stands in the tree, as in the keys of ``state_dict``.
    in_features, out_features : int or None
        Its widths; None for a layer that takes any.
    options : mapping of str to value
        Its settings, such as ``alpha``; a tuple where replicates differ.
    arrays : mapping of str to array
        Its parameters and statistics.
    inside : tuple of tuple of Layer
        The chains inside a container: one of a Residual, one per branch of a Concat.
    frozen : bool
        Whether its parameters are not trained.
    words : str
        The layer in words, for comments and errors.
    """

    kind: str
    path: str = ""
    in_features: int | None = None
    out_features: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    inside: tuple[tuple[Layer, ...], ...] = ()
    frozen: bool = False
    words: str = ""

    def __str__(self) -> str:
        return f"layer {self.path}: {self.words}" if self.path else self.words


def layers_of(who: str, model: Module, known: Container[str], *, replicates: bool = False) -> tuple[Layer, ...]:
    """Return the layers of a network in the order in which they compute; those of nested networks one by one.

    Parameters
    ----------
    who : str
        The function that asks, for errors.
    model : Module
    known : container of str
        The kinds that the format has.
    replicates : bool
        Whether the format has replicates.

    Raises
    ------
    TypeError
        If it is no Module.
    ValueError
        For replicates; for the first layer that is not of a known kind, or not minidl's own.
    """
    check_kinds(who, ("model", model, Module))
    if model.replicate_shape and not replicates:
        raise ValueError(
            f"{who}: {model}: expected a single network, got replicates {model.replicate_shape}: "
            "export those of minidl.unstack(model) one by one"
        )
    _check_known(who, model.record(), known)
    for module in model.modules():
        if name := replaced_method(module):
            raise ValueError(f"{who}: {model}: {name} is not minidl's own, so that the export would compute another")
    return _chain(model.record(), model.state_dict())


def width_behind(layers: Sequence[Layer], width: int | None) -> int | None:
    """Return how wide the output of a chain is for an input of a width."""
    for layer in layers:
        if layer.kind == "Concat":
            widths = [width_behind(branch, width) for branch in layer.inside]
            width = None if None in widths else sum(w for w in widths if w is not None)
        elif layer.out_features is not None:
            width = layer.out_features
    return width


def _check_known(who: str, record: LayerSpec, known: Container[str]) -> None:
    if record.origin != "minidl" or (record.kind not in known and record.kind != "Sequential"):
        whose = "" if record.origin == "minidl" else f" of {record.origin}"
        where = f"layer {record.path}: " if record.path else ""
        raise ValueError(f"{who}: {where}{record}{whose} cannot be exported: the format has no such layer")
    for child in record.children:
        _check_known(who, child, known)


def _chain(record: LayerSpec, state: Mapping[str, Array]) -> tuple[Layer, ...]:
    """Return a module as the layers that it is a chain of."""
    if record.kind == "Sequential":
        return tuple(layer for child in record.children for layer in _chain(child, state))
    prefix = f"{record.path}." if record.path else ""
    names = [] if record.children else [name for name in state if name.startswith(prefix)]
    layer = Layer(
        kind=record.kind,
        path=record.path,
        in_features=record.in_features,
        out_features=record.out_features,
        options={name: value for name, value in record.options if name not in TRAINING_ONLY},
        arrays={name.removeprefix(prefix): state[name] for name in names},
        inside=tuple(_chain(child, state) for child in record.children),
        frozen=record.frozen,
        words=str(record),
    )
    return (layer,)
