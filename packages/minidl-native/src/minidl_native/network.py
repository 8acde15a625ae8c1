"""A network that predicts and trains in compiled code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from minidl_native import _engine
from minidl_native.reading import LOSSES, OPTIMIZERS, UnsupportedError, bit_generators, check, check_loss, read

CROSSOVERS = {"baseline": 64**2, "avx2": 512**2, "avx512": 512**2}
"""By instruction set, the weights of the largest layer with which the engine is expected to be faster than NumPy.

Chains of four layers, batches of 50 and 128, one thread: at width 256 it was 1.2 to 1.8 times as fast as NumPy's BLAS
with AVX2 and 2.4 to 5 times with AVX-512, at 512 1.2 to 1.5 and 1.8 to 2 times, at 1024 as fast and 1.5 times as fast;
784 inputs to 256 units went twice as fast, to 512 as fast. Without either, BLAS, which does use them, was faster from
about 96 units on.
"""

_SETTINGS = {"SGD": ("momentum", None, None, "weight_decay"), "Adam": ("beta1", "beta2", "eps", "weight_decay")}


class Epoch(NamedTuple):
    """What came of one pass through the samples.

    Attributes
    ----------
    loss : ndarray of float64, shape lead
        The sum of the batches' losses; with a mean, of each batch's mean times its number of samples.
    hits : ndarray of int64, shape lead
        How often the class was predicted right.
    diverged : ndarray of int64, shape lead
        The batch, counted from 1, whose loss was nan and which was not learnt from; 0 if there was none.

    Examples
    --------
    >>> outcome = Epoch(np.array(4.0), np.array(7), np.array(0))
    >>> float(outcome.loss / 10), bool(outcome.diverged)
    (0.4, False)
    """

    loss: np.ndarray
    hits: np.ndarray
    diverged: np.ndarray


class Network:
    """A network as the engine runs it.

    It holds no parameters: every call is handed the vector that they live in.

    Parameters
    ----------
    spec : sequence of LayerSpec
        ``model.spec()``.
    dtype : str
        float32 or float64.
    lead : tuple of int
        The replicate axes, () or (R,).
    generators : sequence of sequence of numpy.random.Generator
        For each Dropout in order one generator per replicate. Only training draws from them.

    Attributes
    ----------
    largest : int
        The number of weights of the largest layer.
    worthwhile : bool
        Whether the engine is expected to be faster than NumPy.

    Raises
    ------
    UnsupportedError
        If it is not a network that the engine knows, or two replicates draw from one generator.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl, minidl_native
    >>> model = minidl.Sequential([minidl.Linear(2, 25, rng=0), minidl.ReLU(), minidl.Linear(25, 2, rng=1)])
    >>> network = minidl_native.Network(model.spec(), dtype="float32", lead=())
    >>> network.predict(model.values, np.ones((3, 2), np.float32)).shape, network.largest
    ((3, 2), 50)
    """

    def __init__(
        self,
        spec: Sequence[Any],
        *,
        dtype: str,
        lead: tuple[int, ...],
        generators: Sequence[Sequence[np.random.Generator]] = (),
        _isa: str = "",
    ) -> None:
        check(spec, dtype=dtype, lead=lead)
        tables = read(spec, lead)
        self.lead, self.dtype = tuple(lead), np.dtype(dtype)
        self._last = spec[-1].kind
        drawn_from = bit_generators(generators, tables.numbers[[record.kind == "Dropout" for record in spec]])
        unique = {id(one): one for own in drawn_from for one in own if one is not None}
        # In one order everywhere, so that two trainings that share some never wait for each other.
        self._locks = [unique[key].lock for key in sorted(unique)]
        self._network = _engine.network(
            int(dtype == "float64"), len(lead), tables.size, tables.layers, tables.numbers, drawn_from, _isa
        )
        self._out = int(tables.layers[-1, 2])
        linear = tables.layers[tables.layers[:, 3] >= 0]
        self.largest = int((linear[:, 1] * linear[:, 2]).max())
        self.worthwhile = self.largest <= CROSSOVERS[_isa or _engine.isas()[-1]]

    def predict(self, values: np.ndarray, x: np.ndarray, *, threads: int = 1) -> np.ndarray:
        """Compute the output in evaluation mode; safe from many threads at once.

        Parameters
        ----------
        values : ndarray, shape (*lead, size)
            The parameters.
        x : ndarray, shape (N, F), or (R, N, F)
        threads : int

        Returns
        -------
        ndarray, shape (*lead, N, C)

        Raises
        ------
        ValueError, TypeError
            For another shape or dtype.
        """
        if type(x) is not np.ndarray or x.ndim < 2 or not x.flags.c_contiguous:
            x = _plain(x, axes=2)
        y = np.empty((*self.lead, x.shape[-2], self._out), self.dtype)
        _engine.predict(self._network, values, x, y, threads)
        return y

    def train_epoch(
        self,
        values: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
        order: np.ndarray,
        *,
        batch_size: int,
        loss: str,
        mean: bool,
        threshold: float | None,
        optimizer: Mapping[str, Any],
        rates: np.ndarray | None,
        t: int,
        active: np.ndarray | None = None,
        threads: int = 1,
    ) -> Epoch:
        """Make a step for each batch of the samples.

        A replicate whose loss becomes nan stops before that batch's step; the others go on. On Ctrl-C the epoch ends
        between two steps.

        Parameters
        ----------
        values : ndarray, shape (*lead, size)
            The parameters, which are changed.
        x : ndarray, shape (N, F), shared by replicates, or (R, N, F)
        y : ndarray
            Targets, (N, C) or (R, N, C), in the dtype of the network; for CrossEntropyLoss also classes, int64, (N,) or
            (R, N).
        order : ndarray of int32 or int64, shape (N,) or (R, N)
            In which order the samples come.
        batch_size : int
        loss : str
            The name of its class.
        mean : bool
            Whether it is a mean, or a sum.
        threshold : float or None
            A single output above it says class 1; None if hits are not counted.
        optimizer : mapping
            ``kind``, ``"SGD"`` or ``"Adam"``; the settings of that class under their names, each a number or an array
            of one per replicate; and its memory, which is changed: ``velocity`` (None without momentum), or ``m`` and
            ``v``.
        rates : ndarray of float64, shape (steps,) or (steps, R), or None
            The learning rate of each step; None stands for each layer's own.
        t : int
            Number of steps that the optimizer has made before.
        active : ndarray of bool, shape (R,), optional
            The replicates to train.
        threads : int
            How many to spread replicates over. The result does not depend on it.

        Returns
        -------
        Epoch

        Raises
        ------
        UnsupportedError
            For a loss or an optimizer that the engine does not know.
        ValueError, TypeError
            For arrays that do not fit the network or each other. Nothing has changed then.
        KeyboardInterrupt
            On Ctrl-C, between two steps. Its attribute `steps` says how many were made; of replicates, each of which is
            somewhere else, the fewest.
        """
        check_loss(self._last, loss)
        memory = self._memory(optimizer)
        losses, hits, diverged = np.empty(self.lead), np.empty(self.lead, np.int64), np.full(self.lead, -1)
        with ExitStack() as held:
            for lock in self._locks:
                held.enter_context(lock)
            try:
                _engine.train(
                    self._network,
                    values,
                    _plain(x),
                    _plain(y),
                    _plain(order),
                    batch_size,
                    LOSSES.index(loss),
                    int(mean),
                    threshold,
                    *memory,
                    _rates(rates),
                    t,
                    active if active is None else _plain(active),
                    losses,
                    hits,
                    diverged,
                    threads,
                )
            except KeyboardInterrupt as interrupt:
                made = np.where(diverged < 0, -1 - diverged, -(-order.shape[-1] // batch_size))
                interrupt.steps = int(made.min())  # type: ignore[attr-defined]  # it is told to fit
                raise
        return Epoch(losses, hits, diverged)

    def step(
        self, values: np.ndarray, gradients: np.ndarray, *, optimizer: Mapping[str, Any], rates: np.ndarray, t: int
    ) -> None:
        """Make one step of an optimizer in one pass over the vector, with gradients that came from elsewhere.

        Parameters
        ----------
        values : ndarray, shape (*lead, size)
            The parameters, which are changed.
        gradients : ndarray, shape (*lead, size)
        optimizer : mapping
            As for `train_epoch`.
        rates : ndarray of float64, shape (1,) or (1, R)
        t : int
            Number of steps that the optimizer has made before.

        Raises
        ------
        ValueError, TypeError
            For arrays that do not fit the network. Nothing has changed then.
        """
        _engine.step(self._network, values, gradients, *self._memory(optimizer), _rates(rates), t)

    def _memory(self, optimizer: Mapping[str, Any]) -> tuple[int, int, np.ndarray, Any, Any]:
        """Return what the engine is told of an optimizer: its kind, its settings and its vectors."""
        kind = optimizer["kind"]
        if kind not in OPTIMIZERS:
            raise UnsupportedError(f"{kind} is not an optimizer that it knows")
        first, second = (optimizer["m"], optimizer["v"]) if kind == "Adam" else (optimizer["velocity"], None)
        nesterov = int(optimizer.get("nesterov", False))
        return OPTIMIZERS.index(kind), nesterov, self._settings(optimizer, _SETTINGS[kind]), first, second

    def _settings(self, optimizer: Mapping[str, Any], names: Sequence[str | None]) -> np.ndarray:
        """Return a row of each setting, with one number per replicate."""
        settings = np.zeros((4, self.lead[0] if self.lead else 1))
        for row, name in zip(settings, names, strict=True):
            if name is not None:
                row[:] = optimizer[name]
        return settings


def _rates(rates: Any) -> np.ndarray | None:
    return None if rates is None else np.ascontiguousarray(rates, np.float64)


def _plain(x: Any, axes: int = 1) -> np.ndarray:
    """Return an array as the engine reads it, C-contiguous and aligned; what else may be wrong with it, it finds."""
    if not isinstance(x, np.ndarray):
        raise TypeError(f"minidl_native: expected an array, got {type(x).__name__}")
    if x.ndim < axes:
        raise ValueError(f"minidl_native: expected an array of at least {axes} axes, got {x.dtype} {x.shape}")
    return x if x.flags.c_contiguous and x.flags.aligned else np.array(x, order="C")
