"""The base class of callbacks, which `fit` calls before, between and after its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer
from minidl.training.history import History


@dataclass(frozen=True)
class Run:
    """A training as its callbacks see it.

    Attributes
    ----------
    model : Module
    optimizer : Optimizer
    history : History
        The object that grows by an entry per epoch, and that `fit` returns.
    epochs : int
        The last epoch, if nothing ends the training before; the epochs of a history that goes on count.
    """

    model: Module
    optimizer: Optimizer
    history: History
    epochs: int


class Callback:
    """Base class of callbacks that need more than the history: the model, the optimizer, or the end of the training.

    `fit` also takes any plain function ``callback(epoch, history)``. No callback keeps the compiled engine from running
    the epochs.

    Attributes
    ----------
    reads_parameters : bool
        Whether it reads the parameters, ``model.values``, in those calls that come late, as `epochs_ahead` allows: they
        are then those at the end of its epoch. Running statistics are not, and nothing may be changed.

    Examples
    --------
    Weights that shrink after each epoch:

    >>> import numpy as np
    >>> import minidl
    >>> class Shrink(minidl.Callback):
    ...     def start(self, run):
    ...         self.model = run.model
    ...
    ...     def __call__(self, epoch, history):
    ...         self.model.values[...] *= 0.5
    >>> model, x = minidl.Linear(1, 1, bias=False), np.ones((4, 1), np.float32)
    >>> model.weight = np.array([[16.0]])
    >>> still = minidl.SGD(model, lr=0.0)
    >>> _ = minidl.fit(model, minidl.MSELoss(), still, x, x, epochs=3, batch_size=4, callbacks=[Shrink()])
    >>> model.weight
    array([[2.]], dtype=float32)
    """

    reads_parameters: bool = False

    def start(self, run: Run) -> None:
        """Get ready for a training; called before its first step.

        Parameters
        ----------
        run : Run
        """

    def __call__(self, epoch: int, history: History) -> object:
        """Look at an epoch that has just ended.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        history : History
            Including this epoch.

        Returns
        -------
        object
            True ends the training. An array of bool, of the shape of the replicate axes, stops those replicates: they
            are not trained any more, and noted in ``History.stopped``; the training ends when none is left. Any other
            answer lets it go on.
        """

    def epochs_ahead(self) -> float:
        """Return how many epochs may be trained before this is called for them, one after another.

        In the compiled engine, several short epochs in one call take much less time than each alone. With a number n
        the callback promises that in the next n - 1 calls it will neither end the training nor look at or change model,
        optimizer, loss or samples, which are then those of a later epoch; with `reads_parameters` it may look at the
        parameters. The history is as ever that of the epochs so far. Ctrl-C waits for these calls, which should be
        short.

        Returns
        -------
        int, or inf
            1 means after each epoch, which is always right. A class that inherits this method but writes ``__call__``
            anew is asked after each epoch.
        """
        return 1

    def state(self) -> Any:
        """Return what a `Checkpoint` keeps of the callback.

        A callback that writes this method writes `restore`, too. Without it, a training that goes on from a file starts
        the callback anew.

        Returns
        -------
        None, number, text or array, or dicts and lists of them
        """
        return None

    def restore(self, state: Any) -> None:
        """Take over what `state` has returned, after `start`; called when a training goes on from a checkpoint.

        Parameters
        ----------
        state
            Tuples are lists, and tensors NumPy arrays.
        """

    def finish(self, error: BaseException | None) -> None:
        """Clean up; called at the end of a training that has been started, also by an error or Ctrl-C.

        Parameters
        ----------
        error : BaseException or None
            What ended the training; None for the last epoch or a callback.
        """
