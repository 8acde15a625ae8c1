"""Many networks in one: replicate axes in front of the parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from minidl.arrays.checks import as_generator
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec


def replicate(build: Callable[[np.random.Generator], Module], rngs: Iterable[Any]) -> Module:
    """Build one network per seed and join them into one module that trains them all at once.

    Replicate r has the parameters and the dropout masks of ``build(numpy.random.default_rng(rngs[r]))``, and is trained
    as that network would be alone.

    Parameters
    ----------
    build : callable
        ``build(rng)`` returns a Module. The networks may differ in their numbers, p_drop, alpha and learning rates
        included, but not in their layers.
    rngs : iterable of int, SeedSequence or Generator
        One per replicate.

    Returns
    -------
    Module
        With ``replicate_shape == (R,)``: parameters are (R, ...), an input is (N, F), shared, or (R, N, F), and the
        output is (R, N, C).

    Raises
    ------
    TypeError
        If `rngs` is one seed instead of one per replicate, or `build` returns something else than a Module.
    ValueError
        If there is no seed, or if the networks differ in their layers, dtype or backend.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> model = minidl.replicate(lambda rng: minidl.Linear(2, 3, rng=rng), range(10))
    >>> model.weight.shape, model(np.ones((4, 2), np.float32)).shape
    ((10, 3, 2), (10, 4, 3))
    >>> bool((model.weight[7] == minidl.Linear(2, 3, rng=7).weight).all())
    True
    """
    if not isinstance(rngs, Iterable):
        raise TypeError(f"replicate: expected one rng per replicate, such as range(10), got {rngs!r}")
    modules = [build(as_generator("replicate", rng)) for rng in rngs]
    _check_alike(modules)
    model = copy.deepcopy(modules[0])
    backend = model.backend
    values, grads = (
        backend.xp.stack(vectors)  # on the device of the networks
        for vectors in ([m.values for m in modules], [m.grads_to_read for m in modules])
    )
    model.move_to((len(modules),), values, grads)
    for one, *twins in zip(model.modules(), *(m.modules() for m in modules), strict=True):
        one.merge_replicates(twins)
    return model


def unstack(model: Module) -> list[Module]:
    """Return the networks of a replicated module one by one.

    Parameters
    ----------
    model : Module
        With one replicate axis.

    Returns
    -------
    list of Module
        R networks of their own, with copies of everything.

    Raises
    ------
    ValueError
        If the module has no replicate axis.
    """
    if not model.replicate_shape:
        raise ValueError(f"unstack: {model}: expected a replicated module, got a single one")
    small = copy.deepcopy(model)
    small.move_to((), model.values[0], model.grads_to_read[0])  # so that not every copy starts as one of all replicates
    return [_single(copy.deepcopy(small), model, index) for index in range(model.replicate_shape[0])]


def _single(one: Module, model: Module, index: int) -> Module:
    one.move_to((), model.values[index], model.grads_to_read[index])
    for module in one.modules():
        module.pick_replicate(index)
    return one


def _check_alike(modules: list[Module]) -> None:
    if not modules:
        raise ValueError("replicate: expected at least one rng, got none")
    for index, module in enumerate(modules):
        if not isinstance(module, Module):
            raise TypeError(f"replicate: expected build(rng) to return a Module, got {type(module).__name__}")
        if module.replicate_shape:
            raise ValueError(
                f"replicate: expected build(rng) to return a single network, got replicates {module.replicate_shape}"
            )
        first = modules[0]
        if module is first and index:
            raise ValueError("replicate: expected build(rng) to return a new module each time, got the same one twice")
        if _layers(module.spec()) != _layers(first.spec()) or (module.dtype, module.backend) != (
            first.dtype,
            first.backend,
        ):
            raise ValueError(f"replicate: network {index} differs from network 0:\n{module!r}\n{first!r}")


def _layers(records: tuple[LayerSpec, ...]) -> list[LayerSpec]:
    """Return records without the numbers among their options, in which replicates may differ."""
    return [
        replace(r, options=tuple(map(_without_number, r.options)), children=tuple(_layers(r.children))) for r in records
    ]


def _without_number(option: tuple[str, Any]) -> tuple[str, Any]:
    name, value = option
    return name, value if isinstance(value, str | bool) else None
