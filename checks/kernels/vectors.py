"""Writes the trainings of `cases` as NumPy runs them, for a program that repeats them without Python.

A file is text. A line is ``TYPE NAME COUNT VALUES``, numbers in C's notation: ``ints batch 1 7``. A training begins
with a line ``training NAME`` and ends with the line ``end``. Arrays are flattened, and one that is missing has no line.
The names are those of `minidl::Chain` and `minidl::Pass` in engine/interface.hpp.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

import minidl
from checks.kernels.cases import Case, all_cases
from minidl.training.metrics import names_classes
from minidl_native import KINDS
from minidl_native.kinds import FACTS
from minidl_native.reading import branches, in_order, read, size_of, trained

# Each side rounds every sum in an order of its own, and training carries the difference on: in float64 it stays below
# 1e-12 of an array's largest number. In float32 an ulp is 1e-7. The tests of minidl-native have the same limits.
TOLERANCES = {"float64": 1e-12, "float32": 1e-4}
SLACK = {"float64": 0.0, "float32": 0.05}  # of the hits: a prediction may lie on the border within an ulp


class Writer:
    """Writes entries of a file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def line(self, *parts: object) -> None:
        """Write a line."""
        print(*parts, file=self._file)

    def words(self, name: str, values: Sequence[str]) -> None:
        """Write words."""
        self.line("words", name, len(values), *values)

    def ints(self, name: str, values: Any) -> None:
        """Write integers."""
        flat = np.ravel(np.asarray(values, np.int64)).tolist()
        self.line("ints", name, len(flat), *flat)

    def reals(self, name: str, values: Any) -> None:
        """Write numbers, exactly."""
        flat = np.ravel(np.asarray(values, np.float64)).tolist()
        self.line("reals", name, len(flat), *map(float.hex, flat))


def per_replicate(values: Iterable[Any], replicates: int) -> list[np.ndarray]:
    """Return a row with one number per replicate for each value; nan stands for one that is missing."""
    return [np.broadcast_to(np.nan if value is None else np.asarray(value, float), replicates) for value in values]


def write_network(to: Writer, model: minidl.Module, replicates: int) -> None:
    """Write a network as the engine reads it, and the parameters before the training."""
    records = in_order(model.spec())
    layers, ranges, joined = read(records, replicates), trained(records), tuple(branches(model.spec()))
    ends, is_trained = {end: begin for begin, end in joined}, {place for _, _, place, _ in ranges}
    begins = {begin for begin, _ in joined}
    places = [(*starts, i in is_trained, ends.get(i, -1), i in begins) for i, (_, *starts, _) in enumerate(layers)]
    names = [(settings, name) for kind, *_, settings in layers for name in KINDS.layers[kind]]
    to.ints("replicated", bool(model.replicate_shape))
    to.ints("size", size_of(records))
    to.words("layers", [kind for kind, *_ in layers])
    to.ints("places", places)
    to.words("layer_setting_names", [name for _, name in names])
    to.reals("layer_settings", per_replicate((settings.get(name) for settings, name in names), replicates))
    to.ints("ranges", ranges)
    to.reals("values", model.values)


def write_loss(to: Writer, case: Case, replicates: int) -> bool:
    """Write the loss; return whether hits are counted."""
    loss, kind = case.loss, type(case.loss).__name__
    counted = loss.one_output_per_target and (names_classes(case.y) or loss.targets_are_classes(case.y))
    to.words("loss", [kind])
    to.words("loss_setting_names", KINDS.losses[kind])
    numbers = loss.numbers()
    to.reals("loss_settings", per_replicate((numbers[name] for name in KINDS.losses[kind]), replicates))
    to.ints("mean", loss.reduction != "sum")
    to.ints("per_sample", loss.reduction == "batchmean")
    to.ints("counted", counted)
    to.reals("threshold", loss.threshold if counted else 0.0)
    if np.any(case.l2):
        to.reals("l2", per_replicate([case.l2], replicates))
    return bool(counted)


def write_optimizer(to: Writer, case: Case, replicates: int) -> None:
    """Write the optimizer, the rates of all its steps and of one more, and its vectors."""
    optimizer, kind = case.optimizer, type(case.optimizer).__name__
    settings, steps = optimizer.state().settings, -(-len(case.orders[0].T) // case.batch_size) * len(case.orders)
    to.words("optimizer", [kind])
    to.words("optimizer_setting_names", KINDS.optimizers[kind])
    to.reals("optimizer_settings", per_replicate((settings[name] for name in KINDS.optimizers[kind]), replicates))
    rates = [optimizer._rate(t) for t in range(1, steps + 2)]  # noqa: SLF001 - as the engine is told them
    if rates[0] is not None:
        to.reals("rates", per_replicate(rates, replicates))
    write_vectors(to, optimizer, "vector")


def write_vectors(to: Writer, optimizer: minidl.Optimizer, word: str) -> None:
    """Write the vectors that an optimizer has."""
    for i, name in enumerate(FACTS["optimizers"][type(optimizer).__name__]["vectors"]):
        if getattr(optimizer, name) is not None:
            to.reals(f"{word}_{i}", getattr(optimizer, name))


def write_statistics(to: Writer, model: minidl.Module, word: str) -> None:
    """Write the running statistics of each layer that has some, by its place among the layers."""
    measuring = iter([module for module in model.modules() if module.statistics])
    for place, record in enumerate(in_order(model.spec())):
        names = FACTS["layers"][record.kind]["statistics"]
        arrays = next(measuring).statistics if names else {}
        for i, name in enumerate(names):
            (to.ints if arrays[name].dtype.kind == "i" else to.reals)(f"{word}_{place}_{i}", arrays[name])


def write_draws(to: Writer, before: minidl.Module, after: minidl.Module) -> None:
    """Write the 32-bit words that each Dropout drew, those of its replicates one after the other."""
    pairs = zip(before.modules(), after.modules(), strict=True)
    drawing = iter([pair for pair in pairs if isinstance(pair[0], minidl.Dropout)])
    for place, record in enumerate(in_order(before.spec())):
        if not FACTS["layers"][record.kind]["draws"]:
            continue
        first, last = next(drawing)
        for r, (generator, end) in enumerate(zip(first.generators, last.generators, strict=True)):
            words = []
            while generator.bit_generator.state != end.bit_generator.state:
                words.append(generator.integers(0, 2**32, dtype=np.uint32))
            to.ints(f"draws_{place}_{r}", words)


def train(case: Case) -> minidl.History:
    """Train on NumPy."""
    remaining = iter(case.orders)
    shuffle: Any = lambda: next(remaining)  # noqa: E731 - as short as its formula
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a loss of nan
        return minidl.fit(
            case.model, case.loss, case.optimizer, case.x, case.y, epochs=len(case.orders),
            batch_size=case.batch_size, sample_weight=case.weight, l2=case.l2, shuffle=shuffle, engine="numpy",
        )  # fmt: skip


def write_samples(to: Writer, case: Case) -> None:
    """Write the samples, their weights and orders."""
    outputs = case.model.infer(case.x[..., :1, :]).shape[-1]
    classes = case.y.dtype.kind == "i"
    to.ints("samples", case.x.shape[-2])
    to.ints("batch", case.batch_size)
    to.ints("epochs", len(case.orders))
    to.ints("order_is_32", case.orders[0].dtype == np.int32)
    to.ints("order", case.orders)
    to.ints("target_cols", outputs if classes else case.y.shape[-1])
    to.reals("x", case.x)
    (to.ints if classes else to.reals)("classes" if classes else "y", case.y)
    if case.weight is not None:
        to.reals("weights", case.weight)


def write_results(to: Writer, case: Case, history: minidl.History, *, counted: bool) -> None:
    """Write what came out of the training, and of a prediction and a step behind it."""
    shape, n = case.model.replicate_shape, case.x.shape[-2]
    mass = np.broadcast_to(n if case.weight is None else case.weight.sum(axis=-1), shape)
    to.reals("loss_after", [loss * mass for loss in history.loss])
    if counted:
        to.reals("hits_after", [accuracy * mass for accuracy in history.accuracy])
    to.reals("values_after", case.model.values)
    write_vectors(to, case.optimizer, "vector_after")
    write_statistics(to, case.model, "statistic_after")
    rows = np.random.default_rng(3).standard_normal((150, case.x.shape[-1])).astype(case.dtype)
    to.reals("rows", rows)
    to.reals("prediction", case.model.eval().infer(rows))
    gradients = np.random.default_rng(4).standard_normal(case.model.values.shape).astype(case.dtype)
    if case.optimizer.next_rate() is not None and not history.diverged:
        to.reals("gradients", gradients)
        case.model.grads[...] = gradients
        case.optimizer.step()
        to.reals("values_stepped", case.model.values)


def write_case(to: Writer, case: Case) -> None:
    """Write a training and its results."""
    replicates = case.model.replicate_shape[0] if case.model.replicate_shape else 1
    to.line("training", case.name)
    to.words("dtype", [case.dtype])
    to.reals("tolerance", TOLERANCES[case.dtype])
    to.reals("slack", SLACK[case.dtype])
    to.ints("replicates", replicates)
    write_network(to, case.model, replicates)
    counted = write_loss(to, case, replicates)
    write_optimizer(to, case, replicates)
    write_samples(to, case)
    write_statistics(to, case.model, "statistic")
    before = copy.deepcopy(case.model)
    history = train(case)
    write_draws(to, before, case.model)
    write_results(to, case, history, counted=counted)
    to.line("end")


def write(path: Path) -> int:
    """Write every case to a file; return their number."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for count, case in enumerate(all_cases(), 1):  # noqa: B007 - the number of the last is the result
            write_case(Writer(file), case)
    return count
