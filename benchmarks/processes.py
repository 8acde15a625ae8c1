"""Measure a training in one process beside the same in several: `torchrun --nproc-per-node 2 benchmarks/processes.py`.

The network is that of `test_width.py`, 784-w-w-10. Each row is a width and a batch, with the bytes of a step's message,
and the medians of the milliseconds of a step in one process, of a step in all, and of its message alone. A step in
several processes pays where the last column is above 1. Every process should have as many threads in each column:
`torchrun` sets OMP_NUM_THREADS to 1 where it is not set.
"""

import argparse
import itertools
import statistics
import sys
import time

import numpy as np

import minidl
from minidl import distributed
from minidl.training.distributed.exchange import Exchange
from minidl.training.distributed.links import Alone
from minidl.training.metrics import Sums

STEPS, ROUNDS = 5, 7


def network(width):
    rng = np.random.default_rng(0)
    sizes, layers = [784, width, width, 10], []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [minidl.Linear(inputs, outputs, rng=rng), minidl.ReLU()]
    return minidl.Sequential(layers[:-1])


def step_time(width, batch, group):
    """Return the median time of a step in the processes of a group."""
    model, rng = network(width), np.random.default_rng(0)
    x = rng.standard_normal((STEPS * batch, 784), dtype=np.float32)
    y = rng.integers(0, 10, STEPS * batch)
    loss, optimizer, times = minidl.CrossEntropyLoss("mean"), minidl.Adam(model), []
    for _ in range(ROUNDS + 1):  # the first is not counted
        began = time.perf_counter()
        minidl.fit(model, loss, optimizer, x, y, epochs=1, batch_size=batch, shuffle=False, engine=group)
        times.append((time.perf_counter() - began) / STEPS)
    return statistics.median(times[1:])


def message(width, group):
    """Return the bytes of a step's message, and the median time that it takes."""
    exchange, times = Exchange(network(width), group), []
    for _ in range(STEPS * ROUNDS):
        began = time.perf_counter()
        exchange.add_up(Sums(0.0, 0, 0, 0), 1.0, 0, "in a benchmark", due=False)
        times.append(time.perf_counter() - began)
    return exchange.bytes, statistics.median(times)


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--batches", type=int, nargs="+", default=[128, 1024])
    options = parser.parse_args()
    with distributed.group() as group:
        if group.leads:
            say(f"{group.size} processes, NumPy {np.__version__}")
            say(f"{'width':>6}{'batch':>7}{'bytes':>12}{'one':>9}{'all':>9}{'message':>9}{'one / all':>11}")
        for width in options.widths:
            size, sending = message(width, group)
            for batch in options.batches:
                alone = step_time(width, batch, distributed.Group(0, 1, Alone())) if group.leads else 0.0
                group.add_up(np.zeros(1))  # the others wait for the first
                shared = step_time(width, batch, group)
                if group.leads:
                    times = f"{1e3 * alone:9.2f}{1e3 * shared:9.2f}{1e3 * sending:9.2f}{alone / shared:11.2f}"
                    say(f"{width:6}{batch:7}{size:12,}{times}")


if __name__ == "__main__":
    main()
