"""An optimizer's state as torch writes it: the memory of each parameter, and the settings of groups of parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from minidl.arrays.backend import Array, Backend, backend_of, describe
from minidl.layers.module import Module
from minidl.optim.state import OptimizerState, copied
from minidl.parameters.spec import ParamSpec

_EXTRAS = frozenset({"clip", "decay_biases", "eps_hat"})  # settings that torch's optimizers have not


class Spelling(NamedTuple):
    """The names that torch gives to an optimizer's state.

    Attributes
    ----------
    vectors : mapping of str to str
        Ours to torch's, such as ``m`` to ``exp_avg``.
    pairs : mapping of str to tuple of str
        Torch's settings that are two of ours, such as ``betas``.
    fixed : mapping of str to value
        Torch's settings that have one value here, such as ``amsgrad``.
    """

    vectors: Mapping[str, str] = {}
    pairs: Mapping[str, tuple[str, str]] = {}
    fixed: Mapping[str, Any] = {}


class _Parameter(NamedTuple):
    spec: ParamSpec
    rate: Any
    """Of its layer alone, or None."""
    frozen: bool


@dataclass(frozen=True)
class TorchState:
    """The state of an optimizer in torch's shape, to write and to read.

    Parameters
    ----------
    model : Module
    spelling : Spelling
    state : OptimizerState
        The optimizer's own.
    own_rates : bool
        Whether each layer has its own learning rate.
    """

    model: Module
    spelling: Spelling
    state: OptimizerState
    own_rates: bool

    def write(self, t: int, rate: Any, library: Backend) -> dict[str, Any]:
        """Return the dict after t steps, before one of this learning rate; arrays are copies."""
        parameters, groups = self._parameters(), self._groups(decay_biases=self.state.settings["decay_biases"])
        order = list(chain.from_iterable(groups))
        memory: dict[int, dict[str, Any]] = {number: {"step": float(t)} for number in range(len(order))}
        there = ((name, vector) for name, vector in self.state.vectors.items() if vector is not None)
        for name, vector in there:
            whole = self.model.backend.to_numpy(vector)
            for number, index in enumerate(order):
                spec = parameters[index].spec
                part = whole[..., spec.start : spec.stop].reshape(*self.model.replicate_shape, *spec.shape)
                memory[number][self.spelling.vectors.get(name, name)] = library.asarray(part)
        numbers = iter(range(len(order)))
        written = [self._group([parameters[index] for index in group], rate) for group in groups]
        for entry, group in zip(written, groups, strict=True):
            entry["params"] = [next(numbers) for _ in group]
        return {"state": memory, "param_groups": written}

    def read(self, given: Any) -> tuple[OptimizerState, Any, int]:
        """Return the state, the learning rate and the number of steps that a dict holds.

        Raises
        ------
        ValueError, TypeError
            If it is not of such an optimizer.
        """
        if not isinstance(given, Mapping) or not {"state", "param_groups"} <= given.keys() or not given["param_groups"]:
            raise ValueError(f"{self._who}: expected a dict of 'state' and 'param_groups', got {describe(given)}")
        written = list(given["param_groups"])
        settings = self._settings(written)
        groups = self._groups(decay_biases=settings["decay_biases"])
        sizes, expected = ([len(group["params"]) for group in written], list(map(len, groups)))
        if sizes != expected:
            raise ValueError(
                f"{self._who}: expected groups of {expected} parameters, got {sizes}; decay_biases=False makes two "
                "groups, and learning rates of layers one for each rate"
            )
        numbers = chain.from_iterable(group["params"] for group in written)
        place = dict(zip(chain.from_iterable(groups), numbers, strict=True))
        memory = [dict(given["state"].get(place[index], {})) for index in range(len(place))]
        return OptimizerState(self.state.kind, settings, self._vectors(memory)), written[0]["lr"], self._steps(memory)

    @property
    def _who(self) -> str:
        return self.state.kind

    def _parameters(self) -> list[_Parameter]:
        return [
            _Parameter(spec, dict(record.options).get("lr"), record.frozen)
            for layer in self.model.spec()
            for record in layer.walk()
            for spec in record.params
        ]

    def _groups(self, *, decay_biases: bool) -> list[list[int]]:
        """Return the numbers of the parameters, in groups of one learning rate that decay or do not."""
        groups: dict[Any, list[int]] = {}
        for number, (spec, rate, _) in enumerate(self._parameters()):
            key = rate if self.own_rates else None, decay_biases or len(spec.shape) > 1
            groups.setdefault(key, []).append(number)
        return list(groups.values())

    # ---- settings

    def _group(self, parameters: list[_Parameter], rate: Any) -> dict[str, Any]:
        own = {name: copied(value) for name, value in self.state.settings.items()}
        if type(own["clip"]) is float and math.isinf(own["clip"]):
            own["clip"] = None
        if not own["decay_biases"] and len(parameters[0].spec.shape) < 2:
            own["weight_decay"] = 0.0
        pairs = {name: tuple(own.pop(part) for part in parts) for name, parts in self.spelling.pairs.items()}
        return {"lr": parameters[0].rate if self.own_rates else copied(rate), **pairs, **own, **self.spelling.fixed}

    def _settings(self, written: list[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the settings that all groups share, and the weight decay of the first."""
        found = [self._settings_of(group) for group in written]
        first, *others = found
        for other in others:
            for name in first:
                if name != "weight_decay" and not np.array_equal(first[name], other[name]):
                    raise ValueError(
                        f"{self._who}: expected one {name} in all groups, got {first[name]}, {other[name]}"
                    )
            if np.any(other["weight_decay"]) and not np.array_equal(first["weight_decay"], other["weight_decay"]):
                raise ValueError(f"{self._who}: expected one weight_decay, or 0 for biases, got others")
        return first

    def _settings_of(self, group: Mapping[str, Any]) -> dict[str, Any]:
        for name, value in self.spelling.fixed.items():
            if name in group and group[name] != value:
                raise ValueError(f"{self._who}: expected {name}={value}, the only one here, got {group[name]!r}")
        pairs = {part: (name, place) for name, parts in self.spelling.pairs.items() for place, part in enumerate(parts)}
        found: dict[str, Any] = {}
        for name, own in self.state.settings.items():
            theirs, place = pairs.get(name, (name, None))
            if theirs not in group and name not in _EXTRAS:
                raise ValueError(f"{self._who}: expected {theirs!r} in each group, got {sorted(group)}")
            value = group.get(theirs, own)
            found[name] = value if place is None else value[place]
        if "lr" not in group or "params" not in group:
            raise ValueError(f"{self._who}: expected 'lr' and 'params' in each group, got {sorted(group)}")
        return found

    # ---- the memory

    def _vectors(self, memory: list[dict[str, Any]]) -> dict[str, Array | None]:
        """Return the vectors that are made of the parameters' memory; a part that is missing is zero."""
        spelled = {self.spelling.vectors.get(name, name): name for name in self.state.vectors}
        vectors: dict[str, Any] = dict.fromkeys(self.state.vectors)
        for number, (entry, (spec, *_)) in enumerate(zip(memory, self._parameters(), strict=True)):
            for theirs, array in entry.items():
                if theirs == "step" or array is None:
                    continue
                if theirs not in spelled:
                    raise ValueError(f"{self._who}: expected {list(spelled)} of parameter {number}, got {theirs!r}")
                vector = vectors[spelled[theirs]]
                if vector is None:
                    vector = vectors[spelled[theirs]] = np.zeros(tuple(self.model.values.shape))
                shape = (*self.model.replicate_shape, *spec.shape)
                if np.shape(array) != shape:
                    raise ValueError(
                        f"{self._who}: expected {theirs} of parameter {number} of shape {shape}, got {np.shape(array)}"
                    )
                part = backend_of(array, self._who, theirs).to_numpy(array)
                vector[..., spec.start : spec.stop] = part.reshape(*self.model.replicate_shape, spec.size)
        return vectors

    def _steps(self, memory: list[dict[str, Any]]) -> int:
        """Return the number of steps, one for all parameters that are trained."""
        trained = [entry for entry, parameter in zip(memory, self._parameters(), strict=True) if not parameter.frozen]
        if not any("step" in entry for entry in trained):
            return 0
        steps = {float(entry.get("step", 0)) for entry in trained}
        if len(steps) > 1 or not min(steps).is_integer() or min(steps) < 0:
            raise ValueError(f"{self._who}: expected one number of steps of all parameters, got {sorted(steps)}")
        return int(min(steps))
