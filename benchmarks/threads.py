"""How many threads NumPy and torch use, for a while."""

import sys
import time
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

# A BLAS thread that has nothing to do looks for work for some milliseconds before it sleeps; meanwhile it would take
# a core from whoever has the next turn.
SETTLE = 0.03


class Threads:
    """The libraries that are loaded now; what is loaded later is not told."""

    def __init__(self):
        self._blas = ThreadpoolController().select(user_api="blas")

    @contextmanager
    def limited(self, count, *, settle):
        """Let every BLAS use so many threads, and torch too if it is imported."""
        if settle:
            time.sleep(SETTLE)
        with self._blas.limit(limits=count):
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(count)
            yield
