"""One network on several processes and machines: each computes a share of every batch.

>>> from minidl import distributed
>>> with distributed.group() as processes:
...     print(processes)
Group(process 0 of 1)
"""

from minidl.training.distributed.group import Group, group

__all__ = ["Group", "group"]
