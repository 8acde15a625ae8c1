"""Records with arrays as the engine reads them: C-contiguous and aligned."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl_native.records import OptimizerRecord, Samples, Statistics, Validation

_READY = 0x0101
"""NumPy's flags C_CONTIGUOUS and ALIGNED."""


def with_rates(optimizer: OptimizerRecord) -> OptimizerRecord:
    """Return the record with rates as the engine reads them: also float64."""
    rates = optimizer[3]
    if rates is None or isinstance(rates, float):
        return optimizer
    if type(rates) is np.ndarray and rates.dtype == np.float64 and is_ready(rates):
        return optimizer
    return optimizer._replace(rates=np.require(rates, np.float64, ["C", "A"]))


def ready(samples: Samples) -> tuple[Any, ...]:
    """Return samples as the engine reads them."""
    x, y, order, batch_size, weights = samples
    return plain(x), plain(y), plain_if_any(order), batch_size, plain_if_any(weights)


def ready_validation(validation: Validation | None) -> tuple[Any, ...] | None:
    """Return a validation set, if there is one, as the engine reads it."""
    if validation is None:
        return None
    if not isinstance(validation, Validation):
        raise TypeError(f"minidl_native: expected validation to be a Validation, got {type(validation).__name__}")
    return ready(validation.samples), validation.loss, validation.result


def ready_statistics(statistics: Statistics) -> Statistics:
    """Return the statistics of a layer as the engine reads them."""
    return {name: plain(array, axes=0) for name, array in statistics.items()}


def plain_if_any(x: Any) -> np.ndarray | None:
    """Return an array as `plain` does; None stays None."""
    return None if x is None else plain(x)


def plain(x: Any, axes: int = 1) -> np.ndarray:
    """Return an array as the engine reads it. The engine finds whatever else is wrong."""
    if type(x) is not np.ndarray:  # such as a memmap
        if not isinstance(x, np.ndarray):
            raise TypeError(f"minidl_native: expected an array, got {type(x).__name__}")
        x = np.asarray(x)
    if x.ndim < axes:
        raise ValueError(f"minidl_native: expected an array of at least {axes} axes, got {x.dtype} {x.shape}")
    return x if is_ready(x) else np.array(x, order="C")


def is_ready(x: np.ndarray) -> bool:
    """Whether the engine reads an array where it is."""
    return x.flags.num & _READY == _READY
