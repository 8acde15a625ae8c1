"""The disk data set of minidl: points in the unit square, labelled by a disk that covers half of it.

>>> import minidl_data
>>> (x_train, y_train), (x_test, y_test) = minidl_data.load_disk(0)
>>> x_train.shape, y_train.shape
((1000, 2), (1000,))
"""

from minidl_data.batching import batches
from minidl_data.disk import load_disk, make_disk
from minidl_data.encoding import one_hot
from minidl_data.region import CENTER, RADIUS, inside
from minidl_data.stream import DiskStream

__version__ = "0.1.0"

__all__ = ["CENTER", "RADIUS", "DiskStream", "batches", "inside", "load_disk", "make_disk", "one_hot"]
