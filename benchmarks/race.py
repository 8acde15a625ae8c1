"""A race: contestants do the same work in turn, round after round, and each round gives a ratio."""

import math
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.contestants import ALONE, RACES
from benchmarks.records import Key, Timing
from benchmarks.threads import threads

LEAST_TURN = 0.01  # seconds: what is shorter is repeated within a turn
WARM_BELOW = 0.05  # seconds: shorter turns begin with an untimed call, because the others have emptied the caches
ROUNDS = 5, 40


@dataclass
class Turn:
    """One contestant and its work."""

    key: Key
    run: object
    units: int
    settle: bool
    first: float = 0.0
    estimate: float = 0.0

    def begin(self):
        """Call it twice, once for whatever it compiles and once for an estimate; return what the first call gave."""
        with threads(self.key.threads, settle=self.settle):
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
        return self.estimate * (self.repeats + (self.estimate < WARM_BELOW)) + 0.005

    def warm(self):
        if self.estimate < WARM_BELOW:
            self.run()

    def work(self):
        for _ in range(self.repeats):
            self.run()

    def timed(self):
        """Take a turn; return seconds per unit of work, and how many cores were busy."""
        with threads(self.key.threads, settle=self.settle):
            self.warm()
            processor, start = time.process_time(), time.perf_counter()
            self.work()
            wall = time.perf_counter() - start
            return wall / self.repeats / self.units, (time.process_time() - processor) / wall


def run_race(benchmark, records, name, size, task, *, units, alone=None, count=1, quick=False, budget=3.0, rtol=1e-3):
    """Run a race and keep its times; pytest-benchmark keeps those of the first contestant, per turn.

    `units` is how much work a call does, `alone` that of a contestant that trains one network of many; `count` is the
    number of threads.
    """
    turns = _line_up(records, name, size, task, units=units, alone=alone, count=count, quick=quick, rtol=rtol)
    ours, rivals = turns[0], turns[1:]
    rounds = round(np.clip(budget / sum(turn.cost for turn in turns), *ROUNDS))
    rounds = min(rounds, 5) if quick else rounds
    taken = {turn.key: [] for turn in turns}

    def others_first():
        for turn in rivals:
            taken[turn.key].append(turn.timed())

    def then_ours():
        taken[ours.key].append(ours.timed())

    benchmark.pedantic(then_ours, setup=others_first, rounds=rounds)
    for turn in turns:
        seconds, cores = zip(*taken[turn.key], strict=True)
        records.timings[turn.key] = Timing(list(seconds), float(np.median(cores)), turn.first)
        benchmark.extra_info[turn.key.contestant] = {"seconds_per_unit": list(seconds), "first_call": turn.first}
    benchmark.extra_info["units_per_call"] = ours.units


def _line_up(records, name, size, task, *, units, alone, count, quick, rtol):
    """Return those that take part, once they have proved that they do the same work."""
    turns, expected = [], None
    for contestant in RACES[name]:
        key = Key(name, size, contestant.name, contestant.threads or count)
        if why := contestant.missing(quick=quick, threads=count):
            records.missing[key] = why
            continue
        work = alone if contestant.name in ALONE else units
        turn = Turn(key, contestant.prepare(task), work, settle=max(count, contestant.threads or 1) > 1)
        proof = turn.begin()
        turns.append(turn)
        if contestant.same_loss:
            expected = proof if expected is None else expected
            check_equal_work(contestant.name, proof, expected, rtol)
    return turns


def check_equal_work(name, proof, expected, rtol):
    """Compare outputs, or losses: those of steps with those of epochs, and one network with the first of many."""
    if proof.ndim < expected.ndim:
        expected = expected[..., 0]
    if len(proof) != len(expected):
        short, long = sorted((proof, expected), key=len)
        averaged = long.reshape(len(short), -1, *long.shape[1:]).mean(axis=1)
        proof, expected = (averaged, short) if long is proof else (short, averaged)
    np.testing.assert_allclose(proof, expected, rtol=rtol, atol=1e-6, err_msg=f"{name} did something else")
