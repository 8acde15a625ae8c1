"""Control of the number of threads of NumPy and torch."""

import sys
import time
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

# An idle BLAS thread spins for a while before it sleeps and would take a core from the next turn.
SETTLE = 0.03


class Threads:
    """The thread limits of the BLAS libraries loaded at construction; libraries loaded later are not affected."""

    def __init__(self):
        self._blas = ThreadpoolController().select(user_api="blas")

    @contextmanager
    def limited(self, count, *, settle):
        """Limit every BLAS, and torch if imported, to `count` threads."""
        if settle:
            time.sleep(SETTLE)
        with self._blas.limit(limits=count):
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(count)
            yield
