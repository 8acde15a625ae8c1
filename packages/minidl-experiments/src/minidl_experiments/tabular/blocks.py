"""The networks of a training in blocks, which the workers of `minidl train` train: processes, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

import minidl
from minidl.training.history import CURVES
from minidl_experiments.sweep.backend import as_finished, backend, outliving
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.target import Target
from minidl_experiments.tabular.training import Block, Fitted, Samples, Trained, Watch, finish, fit_block


@dataclass(frozen=True)
class BlockTraining:
    """Trains networks as `train` does, in blocks: one for each worker, if there are as many networks.

    The networks do not depend on the number of blocks. A process that dies costs the blocks in training, which new
    processes train again; of a cluster, the scheduler gives the block of a worker that dies to another one.

    Parameters
    ----------
    jobs : int or None
        Number of processes; None for one per core.
    dask : str or None
        Address of a Dask scheduler, whose workers replace the local processes.
    report : callable
        Called with the number of finished blocks, and of all.
    lost : callable
        Called when a process has died.
    """

    jobs: int | None
    dask: str | None
    report: Callable[[int, int], object] = lambda *_: None
    lost: Callable[[], object] = lambda: None

    def __call__(
        self, options: Options, target: Target, parts: Sequence[Samples], _: Watch, seeds: Sequence[int]
    ) -> Trained:
        """Train as `train` does; nobody watches the epochs, which are made elsewhere.

        Raises
        ------
        OSError
            If no scheduler answers at the address, or the connection is lost.
        concurrent.futures.process.BrokenProcessPool
            If processes die again and again, perhaps for lack of memory.
        """
        import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import, and needed for blocks alone

        whole = Block.whole(parts, seeds)
        blocks, found = list[Block](), dict[int, Fitted]()

        def fit_missing() -> None:
            with backend(self.jobs and min(self.jobs, len(whole.seeds)), self.dask):
                blocks[:] = blocks or cut(whole, joblib.effective_n_jobs(None))
                missing = [i for i in range(len(blocks)) if i not in found]
                tasks = (joblib.delayed(_numbered)(i, blocks[i], options, target) for i in missing)
                with as_finished(tasks) as finished:
                    for i, fitted in finished:
                        found.setdefault(i, fitted)
                        self.report(len(found), len(blocks))

        outliving(fit_missing, self.lost)
        return finish(options, parts, join([found[i] for i in range(len(blocks))]))


def cut(whole: Block, workers: int) -> list[Block]:
    """Cut the networks of a training into blocks that differ by one network at most; each has its own samples alone."""
    count = len(whole.seeds)
    pieces = min(count, workers)
    blocks = []
    for i in range(pieces):
        chosen = slice(count * i // pieces, count * (i + 1) // pieces)
        owners = whole.owners[chosen]
        first, last = owners[0], owners[-1] + 1  # they are in order
        own = [owner - first for owner in owners]
        blocks.append(replace(whole, parts=whole.parts[first:last], owners=own, seeds=whole.seeds[chosen]))
    return blocks


def join(blocks: Sequence[Fitted]) -> Fitted:
    """Return the networks of several blocks as those of one training; all have diverged if those of each block have."""
    if len(blocks) == 1:
        return blocks[0]
    networks = [network for block in blocks for network in minidl.unstack(block.model)]
    each = iter(networks)
    model = minidl.replicate(lambda _rng: next(each), range(len(networks)))
    errors = [block.lost for block in blocks if block.lost is not None]
    last = max(errors, key=lambda error: (error.epoch, error.batch)) if len(errors) == len(blocks) else None
    history = _joined([block.history for block in blocks], [len(block.best) for block in blocks])
    return Fitted(model, history, np.concatenate([block.best for block in blocks]), last)


def _joined(histories: Sequence[minidl.History], counts: Sequence[int]) -> minidl.History:
    """Return the histories of so many networks each side by side, with nan behind the last epoch of each."""
    first, epochs = histories[0], max(map(len, histories))
    joined = minidl.History(engine=first.engine, higher_is_better=first.higher_is_better)
    for name in dict.fromkeys([*CURVES, *(name for history in histories for name in history.metrics)]):
        curves = [history.curve(name) if name in (*CURVES, *history.metrics) else np.empty(0) for history in histories]
        if not any(map(len, curves)):
            continue
        rows = list(np.concatenate([_longer(*each, epochs) for each in zip(curves, counts, strict=True)], axis=1))
        if name in CURVES:
            setattr(joined, name, rows)
        else:
            joined.metrics[name] = rows
    starts = np.cumsum([0, *counts[:-1]]).tolist()
    for start, history in zip(starts, histories, strict=True):
        joined.diverged |= {start + r: where for r, where in history.diverged.items()}
        joined.stopped |= {start + r: epoch for r, epoch in history.stopped.items()}
    return joined


def _longer(curve: np.ndarray, count: int, epochs: int) -> np.ndarray:
    """Return a curve of so many networks with nan behind its last epoch."""
    longer = np.full((epochs, count), np.nan)
    longer[: len(curve)] = curve.reshape(len(curve), count)
    return longer


def _numbered(i: int, block: Block, options: Options, target: Target) -> tuple[int, Fitted]:
    return i, fit_block(block, [options], target)
