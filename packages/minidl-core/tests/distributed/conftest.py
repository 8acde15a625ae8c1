"""Several processes played by threads of one, which exchange their numbers through queues."""

import threading
from queue import Queue

import numpy as np
import pytest

from minidl import distributed


class Threads:
    """A link between threads: ``queues[sender][receiver]``, in which None says that the sender has ended."""

    limit = None

    def __init__(self, queues, rank):
        self._queues, self._rank = queues, rank

    def _exchange(self, value):
        self.send(value)
        found = [sender[self._rank].get(timeout=60) for sender in self._queues]
        if any(each is None for each in found):
            raise RuntimeError("a thread has ended")
        return found

    def send(self, value):
        for queue in self._queues[self._rank]:
            queue.put(value)

    def add_up(self, array):
        found = self._exchange(array.copy() if isinstance(array, np.ndarray) else array.clone())
        assert all(each.shape == array.shape and each.dtype == array.dtype for each in found)
        total = found[0]
        for each in found[1:]:
            total = total + each
        array[...] = total

    def gather(self, words):
        return self._exchange(words)

    def close(self):
        pass


@pytest.fixture(scope="session")
def in_processes():
    """Return a function (size, work) that calls ``work(group)`` in each of several processes, and returns by rank.

    An error is returned in place of a result, and ends the other processes.
    """

    def run(size, work):
        queues = [[Queue() for _ in range(size)] for _ in range(size)]
        results = [None] * size

        def one(rank):
            link = Threads(queues, rank)
            try:
                results[rank] = work(distributed.Group(rank, size, link))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
                results[rank] = error
            link.send(None)

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run
