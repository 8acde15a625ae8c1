"""A network that predicts and trains in compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minidl_native import _engine
from minidl_native.arrays import is_ready, plain, plain_if_any, ready, ready_statistics, ready_validation, with_rates
from minidl_native.kinds import FACTS
from minidl_native.locks import held
from minidl_native.pool import Pool, capsule_of
from minidl_native.reading import (
    bit_generators,
    branches,
    check,
    check_loss,
    check_optimizer,
    in_order,
    read,
    size_of,
    trained,
)
from minidl_native.records import EpochResult, LossRecord, OptimizerRecord, Samples, Statistics, Validation

CROSSOVERS = {"baseline": 64**2, "avx2": 800**2, "avx512": 1600**2}
"""By instruction set, the weights of the largest layer with which the engine is expected to be faster than NumPy.

Measured with 784-w-w-10, batch 128, on one thread and two, in float32 and float64. NumPy's BLAS uses AVX2 and AVX-512
where the processor has them, so without either the limit is lower.
"""


class Network:
    """A compiled network. It holds no parameters: every call is handed the vector that holds them.

    Parameters
    ----------
    spec : sequence of LayerSpec
        ``model.spec()``.
    dtype : str
        float32 or float64.
    replicate_shape : tuple of int
        The replicate axes, () or (R,).
    generators : sequence of sequence of numpy.random.Generator
        For each Dropout in order one generator per replicate. Only training draws from them.

    Attributes
    ----------
    least_batch : int
        The number of samples that every batch of a training must have: 2 with a BatchNorm1d.
    largest : int
        The number of weights of the largest layer.
    worthwhile : bool
        Whether the engine is expected to be faster than NumPy.

    Raises
    ------
    UnsupportedError
        If the engine cannot run the network, or two replicates draw from one generator.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl, minidl_native
    >>> model = minidl.Sequential([minidl.Linear(2, 25, rng=0), minidl.ReLU(), minidl.Linear(25, 2, rng=1)])
    >>> network = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
    >>> network.predict(model.values, np.ones((3, 2), np.float32)).shape, network.largest
    ((3, 2), 50)
    """

    def __init__(
        self,
        spec: Sequence[Any],
        *,
        dtype: str,
        replicate_shape: tuple[int, ...],
        generators: Sequence[Sequence[np.random.Generator]] = (),
        _isa: str = "",
    ) -> None:
        check(spec, dtype=dtype, replicate_shape=replicate_shape)
        self.replicate_shape, self.dtype = tuple(replicate_shape), np.dtype(dtype)
        replicates = replicate_shape[0] if replicate_shape else 1
        records = in_order(spec)
        layers = read(records, replicates)
        drawn_from = bit_generators(layers, generators, replicates)
        unique = {id(one): one for own in drawn_from for one in own if one is not None}
        # In one order everywhere, so that two trainings that share some never wait for each other.
        self._locks = [unique[key].lock for key in sorted(unique)]
        self._network = _engine.network(
            dtype == "float64",
            bool(replicate_shape),
            replicates,
            size_of(records),
            layers,
            drawn_from,
            trained(records),
            tuple(branches(spec)),
            _isa,
        )
        self._last, _, self._out, *_ = layers[-1]
        self.least_batch: int = max(FACTS["layers"][record.kind]["least_batch"] for record in records)
        self.largest: int = max(prod(param.shape) for record in records for param in record.params)
        self.worthwhile = self.largest <= CROSSOVERS[_isa or _engine.isas()[-1]]

    def steps_worthwhile(self, optimizer: str) -> bool:
        """Whether `step` of an optimizer is expected to be faster than NumPy's; False for an unknown kind."""
        facts = FACTS["optimizers"].get(optimizer)
        return facts is not None and bool(facts["one_pass"])

    def predict(
        self, values: np.ndarray, x: np.ndarray, *, statistics: Sequence[Statistics] = (), threads: int = 1
    ) -> np.ndarray:
        """Compute the output in evaluation mode; safe from many threads at once.

        Parameters
        ----------
        values : ndarray, shape (*replicate_shape, size)
            The parameters.
        x : ndarray, shape (N, F), or (R, N, F)
        statistics : sequence of mapping from str to ndarray
            For each BatchNorm1d in order its running statistics.
        threads : int

        Returns
        -------
        ndarray, shape (*replicate_shape, N, C)

        Raises
        ------
        ValueError, TypeError
            For another shape or dtype.
        """
        if type(x) is not np.ndarray or x.ndim < 2 or not is_ready(x):
            x = plain(x, axes=2)
        y = np.empty((*self.replicate_shape, x.shape[-2], self._out), self.dtype)
        _engine.predict(self._network, values, tuple(map(ready_statistics, statistics)), x, y, threads)
        return y

    def evaluate(
        self,
        values: np.ndarray,
        samples: Samples,
        loss: LossRecord,
        result: EpochResult,
        *,
        statistics: Sequence[Statistics] = (),
        threads: int = 1,
    ) -> None:
        """Add up loss and hits of all samples in evaluation mode; safe from many threads at once.

        Parameters
        ----------
        values : ndarray, shape (*replicate_shape, size)
            The parameters.
        samples : Samples
            Their `batch_size`, at least 1, does not matter.
        loss : LossRecord
            Its penalty is left out.
        result : EpochResult
            Its `loss` and `hits` are filled.
        statistics : sequence of mapping from str to ndarray
            As for `predict`.
        threads : int
            The result does not depend on it.

        Raises
        ------
        UnsupportedError
            For a loss that the engine does not have.
        ValueError, TypeError
            For arrays that do not fit the network or each other.
        """
        check_loss(self._last, loss[0])
        data = ready(samples)
        _engine.evaluate(self._network, values, tuple(map(ready_statistics, statistics)), data, loss, result, threads)

    def train(
        self,
        values: np.ndarray,
        samples: Samples,
        loss: LossRecord,
        optimizer: OptimizerRecord,
        result: EpochResult,
        *,
        statistics: Sequence[Statistics] = (),
        active: np.ndarray | None = None,
        threads: int = 1,
        adds: bool = False,
        validation: Validation | None = None,
        pool: Pool | None = None,
    ) -> None:
        """Make a step for each batch of the samples.

        A replicate whose loss becomes nan stops before that batch's step; the others go on. A single network goes
        through as many epochs as it has orders, up to a loss of nan. An exception that a signal handler raises, as on
        Ctrl-C, ends the training between two steps; `result` then says what was done.

        Parameters
        ----------
        values : ndarray, shape (*replicate_shape, size)
            The parameters, which are changed.
        samples : Samples
        loss : LossRecord
        optimizer : OptimizerRecord
            Its vectors are changed.
        result : EpochResult
            Filled, whatever stood there before, unless `adds`.
        statistics : sequence of mapping from str to ndarray
            For each BatchNorm1d in order its running statistics, which are changed: after Ctrl-C and after a loss of
            nan they are those of the steps that were made.
        active : ndarray of bool, shape (R,), optional
            The replicates to train.
        threads : int
            Number of threads that replicates are spread over, or the rows and weights of a single network whose steps
            are long enough. The result does not depend on it.
        adds : bool
            Whether loss and hits go on from what stands in the result. A pass that is cut into several then has the
            sums of one, to the bit.
        validation : Validation, optional
            Measured after each epoch that is finished, with the bits of `evaluate` at that moment. A loss of nan ends
            the training of a network or replicate there.
        pool : Pool, optional
            Of a training that makes several calls, one after another.

        Raises
        ------
        UnsupportedError
            For a loss or an optimizer that the engine does not have.
        ValueError, TypeError
            For arrays that do not fit the network or each other, and for settings or vectors that are missing, unknown
            or of the wrong length. Nothing has changed then.
        """
        check_loss(self._last, loss[0])
        check_optimizer(optimizer[0])
        held_out, kept = ready_validation(validation), capsule_of(pool)
        if validation is not None:
            check_loss(self._last, validation.loss[0])
        data, active = ready(samples), plain_if_any(active)
        descent, measured = with_rates(optimizer), tuple(statistics)
        arguments = (
            *(self._network, values, measured, data, loss, descent, result),
            *(active, threads, adds, held_out, kept),
        )
        if not self._locks:
            return _engine.train(*arguments)
        with held(self._locks):
            return _engine.train(*arguments)

    def step(self, values: np.ndarray, gradients: np.ndarray, optimizer: OptimizerRecord) -> None:
        """Make one step of an optimizer in one pass over the vector, with given gradients.

        Parameters
        ----------
        values : ndarray, shape (*replicate_shape, size)
            The parameters, which are changed.
        gradients : ndarray, shape (*replicate_shape, size)
        optimizer : OptimizerRecord
            Its rates are a number, or of shape (1,) or (1, R). Its vectors are changed.

        Raises
        ------
        UnsupportedError
            For an optimizer that the engine does not have.
        ValueError, TypeError
            As for `train`. Nothing has changed then.
        """
        check_optimizer(optimizer[0])
        _engine.step(self._network, values, gradients, with_rates(optimizer))
