"""Choose the engine that runs a model."""

from __future__ import annotations

import os
from typing import Any, get_args

from minidl.arrays.backend import Array, describe
from minidl.arrays.checks import as_count
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.agreement import disagreement
from minidl.training.compiled import Compiled, compiled
from minidl.training.distributed.group import Group
from minidl.training.distributed.group_engine import GroupEngine
from minidl.training.distributed.shards import checksum_words
from minidl.training.engine import Engine, EngineName
from minidl.training.metrics import Evaluation
from minidl.training.native_engine import NativeEngine, unsupported
from minidl.training.native_steps import NativeSteps
from minidl.training.numpy_engine import NumpyEngine
from minidl.training.prepared import PreparedEvaluation, PreparedStep

NAMES = get_args(EngineName)
VARIABLE = "MINIDL_ENGINE"
DEFAULT = os.environ.get(VARIABLE) or "auto"
"""The engine where none is given. The variable is read when minidl is imported."""


def choose_engine(
    who: str, model: Module, name: EngineName | Group | None, threads: int | None = None, loss: Loss | None = None
) -> Engine:
    """Return the engine for predictions of a model, and for their loss.

    Parameters
    ----------
    who : str
        The function that asks, for errors.
    model : Module
    name : {"auto", "numpy", "native"}, Group or None
        None is the environment variable ``MINIDL_ENGINE`` as it was when minidl was imported, and without it
        ``"auto"``: the native engine where it is installed, knows the model and is expected to be faster. The processes
        of a group each compute all predictions themselves, as with None.
    threads : int, optional
    loss : Loss, optional

    Raises
    ------
    ValueError
        For another name; if the native engine is asked for and cannot run the model.
    """
    name = None if isinstance(name, Group) else name
    chosen, threads = _check(who, name, threads)
    if chosen == "numpy":
        return NumpyEngine(who, model, "" if name else f"{VARIABLE}=numpy")
    made = compiled(model)
    why_not = made.why_not or _why_slower(made, chosen) or _why_other_numbers(made)
    if not why_not:
        made.chosen_for = chosen if threads is None else made.chosen_for
        measures = None if loss is None else _measured(made, type(loss))
        return NativeEngine(who, model, made, threads, by_name=chosen == "native", measures=measures)
    if chosen == "native":
        raise unsupported(who, why_not)
    return NumpyEngine(who, model, why_not)


def choose_engine_to_train(
    who: str,
    model: Module,
    name: EngineName | Group | None,
    threads: int | None,
    loss: Loss,
    optimizer: Optimizer,
    x: Array,
    validation: Any = None,
) -> Engine:
    """Return the engine for a training of a model; see `choose_engine`.

    Parameters
    ----------
    who, model, name, threads
        As for `choose_engine`.
    loss : Loss
    optimizer : Optimizer
    x : array
        The samples, of which only the number of axes matters.
    validation : tuple of array, or None
        The validation set, which the processes of a group compare once; not checked yet.

    Raises
    ------
    ValueError
        As `choose_engine`; also if the native engine is asked for and does not know the loss or the optimizer, or if
        the processes of a group train something else.
    """
    if isinstance(name, Group):
        return _group_engine(who, model, name, loss=loss, optimizer=optimizer, x=x, validation=validation)
    chosen, threads = _check(who, name, threads)
    if chosen == "numpy":
        return NumpyEngine(who, model, "" if name else f"{VARIABLE}=numpy")
    made = compiled(model)
    why_not = made.why_not or _why_slower(made, chosen) or made.why_not_train(model, loss, optimizer)
    why_not = why_not or _why_other_numbers(made) or disagreement((type(loss), type(optimizer)))
    if not why_not and x.ndim not in (2, 2 + len(model.replicate_shape)):
        why_not = f"it takes samples of one axis, not x {tuple(x.shape)}"
    if not why_not:
        return NativeEngine(who, model, made, threads, by_name=chosen == "native", measures=type(loss))
    if chosen == "native":
        raise unsupported(who, why_not)
    return NumpyEngine(who, model, why_not, _native_steps(made, model, optimizer))


def predicted_again(model: Module, x: Array, name: EngineName | Group | None) -> Array | None:
    """Return a prediction by the network that the last call has chosen, if this call is like it, else None.

    To choose an engine takes longer than the prediction of a few samples by a small network.
    """
    made = _chosen_before(model, x, name)
    y: Array | None = None if made is None else made.network.predict(model.values, x)
    return y


def evaluated_again(
    model: Module, loss: Loss, x: Array, y: Array, name: EngineName | Group | None
) -> Evaluation | None:
    """Return what the last call of `evaluate` has prepared for these samples, if this call is like it, else None."""
    made = _chosen_before(model, x, name)
    prepared: PreparedEvaluation | None = None if made is None else made.evaluation
    if prepared is None or not prepared.is_for(loss):
        return None
    return prepared(model.values, model.out_features or 0, x, y)


def _chosen_before(model: Module, x: Array, name: EngineName | Group | None) -> Compiled | None:
    """Return the compiled network that was last chosen by this name, if it is current and takes x, else None."""
    made, chosen = getattr(model, "compiled", None), DEFAULT if name is None else name
    if type(made) is not Compiled or made.chosen_for != chosen or not made.takes_alone(x) or not made.is_current():
        return None
    return made


def prepared_step(
    model: Module, loss: Loss, optimizer: Optimizer, name: EngineName | Group | None
) -> PreparedStep | None:
    """Return the step that the last call of `train_step` has prepared, if this call is like it, else None.

    Parameters
    ----------
    model, loss, optimizer, name
        As for `choose_engine_to_train`, but not checked.
    """
    made = getattr(model, "compiled", None)
    step = made.prepared if type(made) is Compiled else None
    if step is None or isinstance(name, Group):
        return None
    return step if step.is_for(loss, optimizer, DEFAULT if name is None else name) else None


def _group_engine(
    who: str, model: Module, group: Group, *, loss: Loss, optimizer: Optimizer, x: Array, validation: Any
) -> GroupEngine:
    """Return the engine of a group, whose processes must train alike; `train_step` compares them in each message."""
    if who == "train_step":
        return GroupEngine(who, model, group)
    step = None if DEFAULT == "numpy" else _native_steps(compiled(model), model, optimizer)
    engine = GroupEngine(who, model, group, step)
    arrays = f"{model.backend.name}, {model.dtype}, replicates {model.replicate_shape}"
    words = {"model": model, "arrays": arrays, "loss": loss, "optimizer": optimizer, "x": describe(x)}
    words |= {"validation": checksum_words(validation) if group.size > 1 else ""}
    group.compare({name: str(value) for name, value in {**words, "engine": engine.words}.items()})
    return engine


def _check(who: str, name: EngineName | None, threads: int | None) -> tuple[EngineName, int | None]:
    """Return the name of the engine and the number of threads, after checking both."""
    if threads is not None:
        threads = as_count(who, "threads", threads)
    chosen = DEFAULT if name is None else name
    if chosen not in NAMES:
        source = f"{VARIABLE} to be" if name is None else "engine"
        raise ValueError(f"{who}: expected {source} 'auto', 'numpy' or 'native', got {chosen!r}")
    return chosen, threads  # type: ignore[return-value]  # one of the three names


def _why_slower(made: Compiled, chosen: EngineName) -> str:
    if chosen == "native" or made.network.worthwhile:
        return ""
    return f"NumPy is faster for a layer of {made.network.largest:,} weights"


def _why_other_numbers(made: Compiled) -> str:
    """Return why a layer of the model may not run in the engine: its source computes something else."""
    if made.agrees:
        return ""
    why_not = disagreement(made.kinds)
    made.agrees = not why_not
    return why_not


def _measured(made: Compiled, kind: type[Loss]) -> type[Loss] | None:
    """Return a class of losses that computes what the engine computes; None for another."""
    return kind if made.has_loss(kind) and not disagreement((kind,)) else None


def _native_steps(made: Compiled, model: Module, optimizer: Optimizer) -> NativeSteps | None:
    """Return the steps of the optimizer in minidl-native, where they are faster on long vectors."""
    if made.network is None or not made.knows(optimizer) or disagreement([type(optimizer)]):
        return None
    return NativeSteps(model, optimizer) if made.network.steps_worthwhile(type(optimizer).__name__) else None
