"""Write the state of a training to a file, from which it goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.arrays.checks import as_count, as_path
from minidl.training.callbacks.callback import Callback, Run


class Checkpoint(Callback):
    """Write everything that a training needs to go on to one file: ``fit(..., callbacks=[Checkpoint(path)])``.

    ``fit(..., resume=path)`` in the same script goes on from there, and ends with the same bits as a training that was
    not interrupted. At any moment the file is the last checkpoint or the new one, and whole.

    A checkpoint has the model with its settings and what is frozen, the optimizer with its memory and learning rate,
    all generators, the history, the callbacks' `Callback.state`, and the position in the epoch. It has no samples and
    no functions: those of the script are used, such as schedules, `shuffle` and callbacks of your own.

    Parameters
    ----------
    path : str or path
        In a folder that exists; a name that ends in ``.safetensors`` says what the file is.
    every : int
        How many epochs from one checkpoint to the next. The last epoch is always written.
    batches : int, optional
        Write also within an epoch, after every so many batches of it.
    rngs : sequence of Generator
        What the script draws from beside `fit` and the model, such as a stream of batches that are drawn. In mid-epoch
        they are kept as they were when the epoch began, so that the stream can be gone through again.

    Raises
    ------
    ValueError, TypeError
        For `every` or `batches` below 1, or an rng that is no Generator; before the first step for a folder that does
        not exist, and for a folder or a device in place of the file.

    Notes
    -----
    All callbacks have answered before a checkpoint is written. Ctrl-C writes one more, with the position in the epoch;
    so does an error of whoever makes the batches. Any other error, such as `DivergenceError`, leaves the last one.
    A checkpoint that cannot be written, on a full disk for example, ends the training with an OSError; the last
    checkpoint stays as it is.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import minidl
    >>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> def train(path, epochs):
    ...     model = minidl.Linear(1, 1, rng=0)
    ...     options = {"epochs": epochs, "batch_size": 4, "rng": 1, "callbacks": [minidl.Checkpoint(path)]}
    ...     minidl.fit(model, minidl.MSELoss(), minidl.Adam(model), x, 3 * x, resume=path, **options)
    ...     return model.weight.item()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = train(Path(folder, "one"), epochs=3)
    ...     train(Path(folder, "one"), epochs=8) == train(Path(folder, "other"), epochs=8)
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: int = 1,
        batches: int | None = None,
        rngs: Sequence[np.random.Generator] = (),
    ) -> None:
        self.path = as_path("Checkpoint", "path", path)
        self.every = as_count("Checkpoint", "every", every)
        self.batches = None if batches is None else as_count("Checkpoint", "batches", batches)
        self.rngs = [_as_given(rng) for rng in rngs]

    def start(self, run: Run) -> None:  # noqa: ARG002 - every training may be written
        """Look whether there is a folder to write to, and no folder or device in place of the file."""
        target = self.path.resolve()
        if not target.parent.is_dir():
            raise ValueError(f"Checkpoint: expected a path in a folder that exists, got {self.path}")
        if target.exists() and not target.is_file():
            raise ValueError(f"Checkpoint: expected the path of a file, got the folder or device {self.path}")


def _as_given(rng: Any) -> np.random.Generator:
    """Return a generator, which must be one already: another one would draw for nobody."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"Checkpoint: expected rngs to be numpy.random.Generators, got {rng!r}")
    return rng
