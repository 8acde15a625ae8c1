"""Parallel branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Self

from minidl.arrays.backend import Array, library_of
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec


class Concat(Module):
    """Modules that are applied to the same input, their outputs joined along the features: ``y = [a(x), b(x), ...]``.

    Parameters
    ----------
    branches : sequence of Module
        At least one. Their parameters move into the vector of this module; in state dicts their names begin with
        ``"0."``, ``"1."`` and so on.

    Attributes
    ----------
    branches : tuple of Module

    Raises
    ------
    TypeError
        If something else than a Module is among the branches.
    ValueError
        If there is none; if two expect inputs of another width, or differ in backend, dtype or replicate shape; if one
        is part of another module already.

    Examples
    --------
    Two heads, of which the second one predicts a positive number:

    >>> import numpy as np
    >>> import minidl
    >>> spread = minidl.Sequential([minidl.Linear(8, 1, rng=1), minidl.Softplus()])
    >>> heads = minidl.Concat([minidl.Linear(8, 1, rng=0), spread])
    >>> y = heads(np.ones((5, 8), np.float32))
    >>> y.shape, bool((y[:, 1] > 0).all()), list(heads.state_dict())
    ((5, 2), True, ['0.weight', '0.bias', '1.0.weight', '1.0.bias'])
    """

    def __init__(self, branches: Sequence[Module]) -> None:
        if isinstance(branches, Module):
            raise TypeError(f"Concat: expected a list of branches, got {branches}")
        self._branches = tuple(branches)
        if not self._branches:
            raise ValueError("Concat: expected at least one branch, got none")
        for i, branch in enumerate(self._branches):
            if not isinstance(branch, Module):
                raise TypeError(f"Concat: expected branches[{i}] to be a Module, got {branch!r}")
        widths = {branch.in_features for branch in self._branches} - {None}
        if len(widths) > 1:
            inputs = ", ".join(map(str, self._branches))
            raise ValueError(f"Concat: expected branches with inputs of one width, got {inputs}")
        super().__init__(children={str(i): branch for i, branch in enumerate(self._branches)})
        self.in_features = widths.pop() if widths else None
        outputs = [self.in_features if b.keeps_width else b.out_features for b in self._branches]
        self.out_features = None if None in outputs else sum(width for width in outputs if width is not None)

    @property
    def branches(self) -> tuple[Module, ...]:
        """The branches, a tuple; other branches are another module."""
        return self._branches

    def infer(self, x: Array) -> Array:
        """Return ``[a(x), b(x), ...]`` in evaluation mode, and save nothing."""
        outputs = []
        for i, branch in enumerate(self._branches):
            with self.naming(str(i)):
                outputs.append(branch.infer(x))
        return self._join(outputs)

    def infer_layers(self, x: Array, path: str = "") -> Iterator[tuple[str, Module, Array, Array]]:
        """Infer, and iterate over the layers of each branch and last the join; a subclass is a layer itself."""
        if type(self) is not Concat:
            yield from super().infer_layers(x, path)
            return
        outputs = []
        for i, branch in enumerate(self._branches):
            y = x
            for found in branch.infer_layers(x, f"{path}{i}."):
                yield found
                y = found[-1]
            outputs.append(y)
        yield path.removesuffix("."), self, x, self._join(outputs)

    def forward(self, x: Array) -> Array:
        """Return ``[a(x), b(x), ...]``, and save the width of each."""
        self.check_entry(x)
        outputs = []
        for i, branch in enumerate(self._branches):
            with self.naming(str(i)):
                outputs.append(branch.forward(x))
        return self.save_for_backward(self._join(outputs), [y.shape[-1] for y in outputs])

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Return dL/dx: each branch is given its part of dy, and x acts on all branches, so their gradients add up."""
        (widths,) = self.saved(dy)
        total = None
        for i, (start, stop) in enumerate(pairwise(accumulate(widths, initial=0))):
            with self.naming(str(i)):
                dx = self._branches[i].backward(dy[..., start:stop], need_dx=need_dx)
            if need_dx:
                total = dx if total is None else total + dx
        return total

    def check_entry(self, x: Array) -> None:
        """Raise unless every branch accepts the shape of x; nothing is saved or drawn."""
        for i, branch in enumerate(self._branches):
            with self.naming(str(i)):
                branch.check_entry(x)

    def __repr__(self) -> str:
        lines = [f"  {i}: {branch!r}".replace("\n", "\n  ") for i, branch in enumerate(self._branches)]
        return "\n".join(["Concat(", *lines, ")"])

    def place(self, name: str) -> str:
        """Return words for a branch in an error message."""
        return f"branches[{name}]: {self._branches[int(name)]}"

    @classmethod
    def from_record(cls, record: LayerSpec, children: Mapping[str, Any], **more: Any) -> Self:  # noqa: ARG003 - there is nothing else
        """Build the module from the branches inside."""
        return cls(list(children.values()))

    def _join(self, outputs: list[Array]) -> Array:
        """Return the outputs side by side; one that replicates share is repeated for those that have their own."""
        xp = library_of(outputs[0], self).xp
        axes = max((tuple(y.shape[:-1]) for y in outputs), key=len)
        return xp.concatenate([xp.broadcast_to(y, (*axes, y.shape[-1])) for y in outputs], -1)
