"""A compiled engine for minidl: whole epochs of a small network without Python in between.

minidl-core uses it by itself where it is installed; this is what it calls.
"""

from minidl_native.network import Epoch, Network
from minidl_native.reading import UnsupportedError, check

__version__ = "0.1.0"

__all__ = ["Epoch", "Network", "UnsupportedError", "check"]
