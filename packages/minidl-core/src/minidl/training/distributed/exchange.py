"""The one message of a training step: the gradient, and a few sums behind it."""

from __future__ import annotations

import zlib
from math import prod
from typing import Any

import numpy as np

from minidl.layers.module import Module
from minidl.training.distributed.group import Group
from minidl.training.metrics import Sums

_BEHIND = 7  # numbers behind a gradient: the four of `Sums`, the divisor and two fingerprints
_LARGEST = 2**12  # of a fingerprint in a message: float32 adds up those of 4,096 processes exactly


class Exchange:
    """Adds up gradients and sums over the processes of a group, one message a step.

    A message is a vector of ``size + 7`` numbers for each replicate: the gradient, then loss, hits, samples and labels
    as in `Sums`, the divisor of the loss, and fingerprints of the samples and the parameters, by which processes notice
    that they do not train alike. It has the dtype of the model; for float16 it is in float32.

    Parameters
    ----------
    model : Module
    group : Group

    Attributes
    ----------
    bytes : int
        The size of a message.
    """

    def __init__(self, model: Module, group: Group) -> None:
        self._model, self._group = model, group
        backend = model.backend
        dtype = backend.xp.float32 if model.dtype.itemsize == 2 else model.dtype
        shape = (*model.replicate_shape, model.values.shape[-1] + _BEHIND)
        self._message = backend.asarray(np.zeros(shape), dtype)
        self.bytes = prod(shape) * int(self._message.dtype.itemsize)

    def add_up(self, sums: Sums, divisor: Any, fingerprint: int, where: str, *, due: bool) -> tuple[Sums, Any]:
        """Replace the model's gradient by its sum over the processes; return the sums and the divisor of all.

        Parameters
        ----------
        sums : Sums
            Of this process's samples.
        divisor : float or array of shape replicate_shape
        fingerprint : int
            Of the batch.
        where : str
            The place in the training, for errors.
        due : bool
            Whether to compare the parameters, too.

        Raises
        ------
        ValueError
            If the processes have other samples or parameters; the gradient has not changed then.
        RuntimeError
            If another process is lost.
        """
        if self._group.size == 1:
            return sums, divisor
        model, message = self._model, self._message
        size, shape = model.values.shape[-1], model.replicate_shape
        prints = [fingerprint % _LARGEST, self._parameters() % _LARGEST if due else 0]
        behind = np.stack([np.broadcast_to(each, shape) for each in (*sums, divisor, *prints)], axis=-1)
        message[..., :size] = model.grads_to_read
        message[..., size:] = model.backend.asarray(behind.astype(np.float64), message.dtype)
        self._group.add_up(message, where)
        *totals, samples, parameters = np.moveaxis(_wide(model, message[..., size:]), -1, 0)
        self._compare("samples", samples, prints[0], where)
        self._compare("parameters", parameters, prints[1], where)
        model.replace_grads(message[..., :size])
        totals = [total if total.ndim else total.item() for total in totals]
        return Sums(*totals[:-1]), totals[-1]

    def _parameters(self) -> int:
        """Return a checksum of the parameters."""
        return zlib.crc32(self._model.backend.to_numpy(self._model.values).tobytes())

    def _compare(self, what: str, total: np.ndarray, own: int, where: str) -> None:
        if (total != own * self._group.size).any():
            process = f"process {self._group.rank} of {self._group.size}"
            raise ValueError(
                f"fit: {process}: expected the same {what} in all processes, got others {where}: give each process the "
                "same data, batch_size and seeds"
            )


def _wide(model: Module, array: Any) -> np.ndarray:
    return np.asarray(model.backend.to_numpy(array), np.float64)
