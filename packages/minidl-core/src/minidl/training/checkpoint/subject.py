"""What a training changes: the model, the optimizer, and the generators."""

from __future__ import annotations

from typing import Any

from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer
from minidl.optim.schedule import Schedule, as_record, from_record
from minidl.optim.state import OptimizerState, copied
from minidl.training.checkpoint.generators import Generators


class Subject:
    """What a training changes.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
    generators : Generators
    """

    def __init__(self, model: Module, optimizer: Optimizer, generators: Generators) -> None:
        self._model, self._optimizer, self._generators = model, optimizer, generators

    def take(self) -> dict[str, Any]:
        """Return copies of everything."""
        return {
            "model": _model_state(self._model),
            "optimizer": _optimizer_state(self._optimizer),
            "generators": self._generators.take(),
        }

    def put(self, state: Any) -> None:
        """Take over a state; if anything is wrong with it, nothing has changed at the end.

        Raises
        ------
        ValueError
            Naming the part that does not fit.
        """
        before = self.take()
        try:
            self._put(state)
        except ValueError:
            self._put(before)
            raise

    def _put(self, state: Any) -> None:
        parts = {
            "model": lambda own: _put_model(self._model, own),
            "optimizer": lambda own: _put_optimizer(self._optimizer, own),
            "generators": self._generators.put,
        }
        for name, put in parts.items():
            try:
                put(state[name])
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError) as error:
                raise ValueError(f"{name}: {error}") from error


def _model_state(model: Module) -> dict[str, Any]:
    modules = list(model.modules())
    settings = [{name: copied(getattr(one, name)) for name in (*one.settings, *one.words)} for one in modules]
    return {"parameters": model.state_dict(), "settings": settings, "frozen": [one.freezes for one in modules]}


def _put_model(model: Module, state: Any) -> None:
    modules = list(model.modules())
    model.load_state_dict(state["parameters"])
    for module, settings, frozen in zip(modules, state["settings"], state["frozen"], strict=True):
        if settings.keys() != {*module.settings, *module.words}:
            raise ValueError(f"{module}: expected settings {[*module.settings, *module.words]}, got {[*settings]}")
        for name, value in settings.items():
            setattr(module, name, value)
        (module.freeze if frozen else module.unfreeze)()  # those below it come after it


def _optimizer_state(optimizer: Optimizer) -> dict[str, Any]:
    kind, settings, vectors = optimizer.state()
    asarray = optimizer.model.backend.asarray
    return {
        "kind": kind,
        "settings": {name: copied(value) for name, value in settings.items()},
        "vectors": {name: None if vector is None else asarray(vector) for name, vector in vectors.items()},
        "t": int(optimizer.t),
        "lr": _rate(optimizer.lr),
        "kappa": copied(optimizer.kappa),
        "eta": copied(optimizer.eta),
    }


def _put_optimizer(optimizer: Optimizer, state: Any) -> None:
    own = OptimizerState(state["kind"], state["settings"], state["vectors"])
    optimizer.load_state(own, t=state["t"])
    lr = _as_rate(state["lr"], optimizer.lr)
    optimizer.lr = optimizer.kappa = optimizer.eta = None  # no two of them go together
    optimizer.kappa, optimizer.eta = state["kappa"], state["eta"]
    optimizer.lr = lr


def _rate(lr: Any) -> Any:
    """Return a learning rate as plain data; of a function only that it is one."""
    if isinstance(lr, Schedule):
        record = as_record(lr)
        return {"function": type(lr).__name__} if record is None else {"schedule": record}
    return {"function": type(lr).__name__} if callable(lr) else copied(lr)


def _as_rate(given: Any, now: Any) -> Any:
    """Return the learning rate that data stands for: for a function, the one that is there."""
    if not isinstance(given, dict):
        return given
    if "function" in given:
        if not callable(now):
            raise ValueError(f"expected lr to be a function of one's own, as in the file, got {now!r}")
        return now
    schedule = from_record(given["schedule"])
    return now if schedule == now else schedule
