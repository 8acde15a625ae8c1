"""A compiled engine for minidl: whole epochs of a small network without Python in between.

minidl-core calls this interface by itself where the package is installed.
"""

from minidl_native.kinds import KINDS, Kinds
from minidl_native.network import Network
from minidl_native.orders import permutations
from minidl_native.pool import Pool
from minidl_native.reading import UnsupportedError, check
from minidl_native.records import EpochResult, LossRecord, OptimizerRecord, Samples, Validation

__version__ = "0.1.0"

__all__ = [
    "KINDS",
    "EpochResult",
    "Kinds",
    "LossRecord",
    "Network",
    "OptimizerRecord",
    "Pool",
    "Samples",
    "UnsupportedError",
    "Validation",
    "check",
    "permutations",
]
