"""A race: contestants do the same work in turn, round after round. Each round gives one ratio per contestant."""

import math
import sys
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from benchmarks.contestants import ALONE, RACES
from benchmarks.records import Key, Records, Timing
from benchmarks.threads import Threads

LEAST_TURN = 0.01  # seconds: shorter work is repeated within a turn
WARM_BELOW = 0.05  # seconds: shorter turns begin with an untimed call, which warms the caches
WAKE_SECONDS = 0.05  # of untimed calls on several threads: the processor of a virtual machine takes long to wake
ROUNDS, QUICK_ROUNDS = (3, 40), (3, 5)


@dataclass(frozen=True)
class Work:
    """The work of a race: a task and the number of units that one call does.

    `alone` is the number of units of a contestant that trains one network where the others train many. `rtol` is the
    tolerance between the results, and `budget` the approximate duration of the race in seconds. With `afresh` each
    turn starts from the initial weights, on one thread only; otherwise one network is trained on through all turns.
    """

    race: str
    size: int
    task: object
    units: int
    alone: int = 1
    threads: int = 1
    rtol: float = 1e-3
    budget: float = 3.0
    afresh: bool = False


@dataclass
class Turn:
    """One contestant at work."""

    key: Key
    run: object
    units: int
    settle: bool
    again: object = None  # prepares the work again before each turn, if given
    first: float = 0.0
    estimate: float = 0.0
    taken: list = field(default_factory=list)  # seconds per unit, and number of busy cores

    def begin(self, threads):
        """Make two calls, one that may compile and one for the estimate; return the result of the first."""
        with threads.limited(self.key.threads, settle=self.settle):
            start = time.perf_counter()
            proof = np.asarray(self.run())
            self.first = time.perf_counter() - start
            start = time.perf_counter()
            self.run()
            self.estimate = time.perf_counter() - start
        return proof

    @property
    def repeats(self):
        return max(1, math.ceil(LEAST_TURN / self.estimate))

    @property
    def cost(self):
        return self.estimate * (self.repeats + (self.estimate < WARM_BELOW)) + (0.03 + WAKE_SECONDS) * self.settle

    def take(self, threads):
        """Take one timed turn."""
        if self.again:
            self.run = self.again()
        with threads.limited(self.key.threads, settle=self.settle):
            begin = time.perf_counter()
            if self.estimate < WARM_BELOW:
                self.run()
            while self.settle and time.perf_counter() - begin < WAKE_SECONDS:
                self.run()
            processor, start = time.process_time(), time.perf_counter()
            for _ in range(self.repeats):
                self.run()
            wall = time.perf_counter() - start
            processor = time.process_time() - processor
        self.taken.append((wall / self.repeats / self.units, processor / wall))


def run_race(benchmark, records: Records, work: Work, *, quick):
    """Run a race and record its times; pytest-benchmark itself times the whole turn of the first contestant."""
    if jax_training := sys.modules.get("benchmarks.rivals.jax_training"):
        jax_training.forget_compiled()  # so that the first call includes the compilation in every race
    turns = line_up(records, work, quick=quick)
    threads = Threads()
    check_equal_work(turns, [turn.begin(threads) for turn in turns], work)
    budget = work.budget / 3 if quick else work.budget
    rounds = int(np.clip(budget / sum(turn.cost for turn in turns), *(QUICK_ROUNDS if quick else ROUNDS)))

    def rivals_first():
        for turn in turns[1:]:
            turn.take(threads)

    benchmark.pedantic(turns[0].take, (threads,), setup=rivals_first, rounds=rounds)
    for turn in turns:
        seconds, cores = map(list, zip(*turn.taken, strict=True))
        records.timings[turn.key] = Timing(seconds, float(np.median(cores)), turn.first)
        benchmark.extra_info[turn.key.contestant] = {
            "threads": turn.key.threads,
            "seconds per unit": seconds,
            "cores busy": cores,
            "first call, seconds": turn.first,
        }


def line_up(records, work, *, quick):
    """Return the prepared contestants; record the reason for each missing one."""
    turns = []
    for contestant in RACES[work.race]:
        threads = contestant.threads or work.threads
        key = Key(work.race, work.size, contestant.name, threads)
        if why := contestant.missing(quick=quick, threads=work.threads):
            records.missing[key] = why
        else:
            units = work.alone if contestant.name in ALONE else work.units
            again = partial(contestant.prepare, work.task) if work.afresh and not contestant.goes_on else None
            turns.append(Turn(key, contestant.prepare(work.task), units, settle=threads > 1, again=again))
    return turns


def check_equal_work(turns, proofs, work):
    """Compare the results of the contestants: outputs, or losses of each step or epoch, of one network or of many."""
    comparable = {contestant.name for contestant in RACES[work.race] if contestant.same_result}
    for turn, proof in zip(turns, proofs, strict=True):
        if turn.key.contestant in comparable:
            ours, theirs = alike(proofs[0], proof)
            note = f"{turn.key.contestant} and {turns[0].key.contestant} did different work"
            np.testing.assert_allclose(theirs, ours, rtol=work.rtol, atol=1e-6, err_msg=note)


def alike(ours, theirs):
    """Return two results in the same shape: of many networks the first, of many steps the mean over each epoch."""
    if theirs.ndim < ours.ndim:
        ours = ours[..., 0]
    epochs = min(len(ours), len(theirs))
    if len(ours) == len(theirs):
        return ours, theirs
    return tuple(array.reshape(epochs, -1, *array.shape[1:]).mean(axis=1) for array in (ours, theirs))
