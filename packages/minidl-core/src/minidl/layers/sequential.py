"""A chain of layers (report, section II-A2)."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Self

from minidl.arrays.backend import Array
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec


class Sequential(Module):
    """Layers applied one after the other; their parameters live in one vector.

    Parameters
    ----------
    layers : sequence of Module
        The parameters move into the vector of this network; a layer can be part of only one.
    training : bool
        Whether the network starts in training mode.

    Attributes
    ----------
    layers : tuple of Module

    Raises
    ------
    TypeError
        If something else than a Module is among the layers.
    ValueError
        If a layer is in a network already, or twice in this one; if two layers differ in backend, dtype or replicate
        shape; if a layer's width is not that of the layer below it.

    Warns
    -----
    UserWarning
        If two layers start from the same random numbers, as the same seed gives them.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> rng = np.random.default_rng(0)
    >>> model = minidl.Sequential([minidl.Linear(2, 25, rng=rng), minidl.ReLU(), minidl.Linear(25, 2, rng=rng)])
    >>> model
    Sequential(
      0: Linear(2 -> 25)
      1: ReLU
      2: Linear(25 -> 2)
    )
    >>> model(np.ones((4, 2), np.float32)).shape, model.values.shape
    ((4, 2), (127,))
    """

    layers = property(attrgetter("_layers"), doc="The layers, a tuple; a chain of other layers is another network.")

    def __init__(self, layers: Sequence[Module], *, training: bool = True) -> None:
        if isinstance(layers, Module):
            raise TypeError(f"Sequential: expected a list of layers, got {layers}: write Sequential([{layers}, ...])")
        self._layers = tuple(layers)
        for i, layer in enumerate(self._layers):
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential: expected layers[{i}] to be a Module, got {layer!r}")
        self._check_widths()
        super().__init__(children={str(i): layer for i, layer in enumerate(self._layers)})
        self.train(training)
        self._warn_of_twins()
        self._lowest = self._lowest_trained()

    def infer(self, x: Array) -> Array:
        """Apply the layers in evaluation mode and save nothing: safe from many threads."""
        i = 0
        try:
            for i, layer in enumerate(self._layers):  # noqa: B007 - the handler names the layer
                x = layer.infer(x)
        except Exception as error:
            error.add_note(f"in {self.place(str(i))}")
            raise
        return x

    def infer_layers(self, x: Array, path: str = "") -> Iterator[tuple[str, Module, Array, Array]]:
        """Infer layer by layer; a subclass, which may be more than their chain, is a layer itself."""
        if type(self) is not Sequential:
            yield from super().infer_layers(x, path)
            return
        for i, layer in enumerate(self._layers):
            for found in layer.infer_layers(x, f"{path}{i}."):
                yield found
                x = found[-1]

    def forward(self, x: Array) -> Array:
        """Apply the layers in order."""
        if self._guard:  # the layers below it would save or draw before it complains
            self.check_entry(x)
        i = 0
        try:
            for i, layer in enumerate(self._layers):  # noqa: B007 - the handler names the layer
                x = layer.forward(x)
        except Exception as error:
            error.add_note(f"in {self.place(str(i))}")
            raise
        return x

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Pass the gradient through the layers in reverse order, and return that of the input.

        With need_dx=False the lowest layer that trains parameters leaves out its input gradient, a third of a wide
        layer's work, and what lies below it is not run.
        """
        lowest = self._lowest_trained() if self._buffer.frozen else self._lowest
        last = 0 if need_dx else lowest
        i = len(self._layers)
        try:
            for i in range(len(self._layers) - 1, last, -1):
                dy = self._layers[i].backward(dy)
            if last < len(self._layers):
                i = last
                dy = self._layers[i].backward(dy, need_dx=need_dx)
        except Exception as error:
            error.add_note(f"in {self.place(str(i))}")
            raise
        return dy if need_dx else None

    def check_entry(self, x: Array) -> None:
        """Raise unless the first layer that knows the shape of x accepts it; nothing is saved or drawn."""
        try:
            self._layers[self._guard].check_entry(x)
        except Exception as error:
            error.add_note(f"in {self.place(str(self._guard))}")
            raise

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, index: int) -> Module:
        return self._layers[index]

    def __str__(self) -> str:
        return f"Sequential({len(self._layers)} layers)"

    def __repr__(self) -> str:
        lines = [f"  {i}: {layer!r}".replace("\n", "\n  ") for i, layer in enumerate(self._layers)]
        return "\n".join(["Sequential(", *lines, ")"]) if lines else "Sequential()"

    def place(self, name: str) -> str:
        """Return words for a layer in an error message."""
        return f"layers[{name}]: {self._layers[int(name)]}"

    def records(self, path: str, origin: int) -> Iterator[LayerSpec]:
        """Iterate over the records of the layers; a subclass, which may be more than their chain, has one record."""
        if type(self) is not Sequential:
            yield from super().records(path, origin)
            return
        for i, layer in enumerate(self._layers):
            yield from layer.records(f"{path}{i}.", origin)

    @classmethod
    def from_record(cls, record: LayerSpec, children: Mapping[str, Any], **more: Any) -> Self:  # noqa: ARG003 - there is nothing else
        """Build the module from the layers inside."""
        return cls(list(children.values()))

    def _lowest_trained(self) -> int:
        """Return the lowest layer that trains parameters: below it nobody needs a gradient but that of x."""
        trained = (i for i, layer in enumerate(self._layers) if layer.values.shape[-1] and not layer.frozen)
        return next(trained, len(self._layers))

    def _warn_of_twins(self) -> None:
        """Warn of two layers that draw the same numbers, as the same seed makes them: they would learn in step."""
        seen: dict[Hashable, tuple[int, object]] = {}
        for i, layer in enumerate(self._layers):
            for draws, source in (pair for module in layer.modules() for pair in module.draws()):
                first, other = seen.setdefault(draws, (i, source))
                if first != i and other is not source:  # layers may share a generator
                    warnings.warn(
                        f"Sequential: layers[{first}] and layers[{i}] start from the same random "
                        "numbers: give all layers one generator, rng = numpy.random.default_rng(0), instead of the "
                        "same seed",
                        UserWarning,
                        stacklevel=3,
                    )

    def _check_widths(self) -> None:
        """Refuse a chain whose widths do not meet, and note the widths of the whole."""
        width, source = None, ""
        for i, layer in enumerate(self._layers):
            if width is not None and layer.in_features not in (None, width):
                expected = f"expected {layer.in_features} features"
                raise ValueError(f"Sequential: layers[{i}]: {layer}: {expected}, got {width} from {source}")
            if not layer.keeps_width:
                width, source = layer.out_features, f"layers[{i}]: {layer}"
        entry = next((i for i, layer in enumerate(self._layers) if not layer.keeps_width), None)
        self.keeps_width = entry is None
        self.in_features = None if entry is None else self._layers[entry].in_features
        self.out_features = width
        self._guard = entry or 0  # the first layer that may know what x must be
