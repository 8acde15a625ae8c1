"""How many threads NumPy and torch use, for a while."""

import sys
import time
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

# A BLAS thread that has nothing to do looks for work for some milliseconds before it sleeps; meanwhile it would take
# a core from whoever has the next turn.
SETTLE = 0.03


@contextmanager
def threads(count, *, settle=False):
    """Let every BLAS use so many threads, and torch too if it is imported."""
    if settle:
        time.sleep(SETTLE)
    with ThreadpoolController().limit(limits=count, user_api="blas"):
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(count)
        yield
