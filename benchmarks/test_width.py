"""Wide networks, 784-w-w-10, whose time is arithmetic rather than call overhead."""

import pytest

from benchmarks.claims import WIDTHS
from benchmarks.contestants import CORES
from benchmarks.tasks import wide_task

QUICK = (16, 256, 1024)


def params():
    return [width if width in QUICK else pytest.param(width, marks=pytest.mark.full) for width in WIDTHS]


@pytest.mark.parametrize("width", params())
@pytest.mark.parametrize("threads", [1, 2])
def test_width(race, width, threads):
    if threads > CORES:
        pytest.skip(f"{CORES} core: not enough for two threads")
    steps = 2 if width >= 512 else 8
    race("width", width, wide_task(width, steps=steps), units=steps, threads=threads, budget=4 if width >= 512 else 2.5)
