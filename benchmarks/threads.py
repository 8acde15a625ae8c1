"""Control of the number of threads of NumPy, torch and minidl's engine."""

import os
import sys
import time
from contextlib import contextmanager
from unittest import mock

from threadpoolctl import ThreadpoolController

# An idle BLAS thread spins for a while before it sleeps and would take a core from the next turn.
SETTLE = 0.03


class Threads:
    """The thread limits of the BLAS libraries loaded at construction; libraries loaded later are not affected."""

    def __init__(self):
        self._blas = ThreadpoolController().select(user_api="blas")

    @contextmanager
    def limited(self, count, *, settle):
        """Limit every BLAS, torch if imported, and the engine to `count` threads."""
        if settle:
            time.sleep(SETTLE)
        with self._blas.limit(limits=count), mock.patch.dict(os.environ, OMP_NUM_THREADS=str(count)):
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(count)
            yield
