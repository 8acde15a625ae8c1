"""What minidl claims about its speed, as data, and whether a run bears it out.

A missed claim is printed; it is no failure, because a busy machine would make one of any.
"""

from typing import NamedTuple

from benchmarks.records import Key, Spread, spread


class Ratio(NamedTuple):
    """How many times as long one contestant takes as another, in the same race."""

    over: Key
    under: Key

    def measure(self, records):
        timed = self.over in records.timings and self.under in records.timings
        return records.ratio(self.over, self.under) if timed else None


class Time(NamedTuple):
    """How long a contestant takes for so many units of its race, in a unit of time."""

    key: Key
    units: float
    second: float  # 1e3 for milliseconds

    def measure(self, records):
        timing = records.timings.get(self.key)
        return timing and spread([self.units * self.second * seconds for seconds in timing.seconds])


class Fact(NamedTuple):
    """A number that is measured by itself."""

    name: str

    def measure(self, records):
        return spread(records.facts[self.name]) if self.name in records.facts else None


class Claim(NamedTuple):
    text: str
    sign: str  # ">=" or "<="
    bound: float
    measured: Ratio | Time | Fact
    unit: str = "x"


class Verdict(NamedTuple):
    claim: Claim
    spread: Spread | None
    word: str


def judge(claim, records):
    """Compare the median with the bound."""
    found = claim.measured.measure(records)
    if found is None:
        return Verdict(claim, None, "not measured")
    met = found.median >= claim.bound if claim.sign == ">=" else found.median <= claim.bound
    return Verdict(claim, found, "met" if met else "MISSED")


def against(race, size, ours, rival, threads=1):
    """Return the rival's time over ours: above 1, we are faster."""
    return Ratio(Key(race, size, rival, threads), Key(race, size, ours, threads))


def cost(race, size, ours, rival, threads=1):
    """Return our time over the rival's: below 1, we are faster."""
    return Ratio(Key(race, size, ours, threads), Key(race, size, rival, threads))


WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
LOOP, FIT, HAND, TORCH = "minidl, own loop", "minidl, fit", "NumPy by hand", "torch eager"

TRAINING = tuple(
    claim
    for race, ours, words in (("training", LOOP, "own loop"), ("fit", FIT, "fit"))
    for claim in (
        Claim(f"50 epochs, {words}: faster than torch eager, fused Adam", ">=", 5.0, against(race, 50, ours, TORCH)),
        Claim(f"50 epochs, {words}: faster than scikit-learn", ">=", 3.0, against(race, 50, ours, "scikit-learn")),
        Claim(f"50 epochs, {words}: of the time of NumPy by hand", "<=", 1.4, cost(race, 50, ours, HAND)),
    )
)

R100 = "replicates", 100
ONE, ONE_FIT, TORCH_ONE, JAX_MANY = (
    "minidl, one network",
    "minidl, one network, fit",
    "torch, one by one",
    "JAX, vmap and scan",
)
REPLICATES = (
    Claim("100 replicates: of one network's time, per replicate", "<=", 0.3, cost(*R100, LOOP, ONE)),
    Claim("100 replicates, fit: of one network's time, per replicate", "<=", 0.3, cost(*R100, FIT, ONE_FIT)),
    Claim("100 replicates: JAX, vmap and scan, over minidl", ">=", 1.0, against(*R100, LOOP, JAX_MANY)),
    Claim("100 replicates: 100 torch runs over minidl", ">=", 15.0, against(*R100, LOOP, TORCH_ONE)),
    Claim("100 replicates, fit: 100 torch runs over minidl", ">=", 15.0, against(*R100, FIT, TORCH_ONE)),
)

NATIVE, TWO, JAX_SCAN = "minidl, fit (native)", "minidl, fit (native, 2 threads)", "JAX, jitted scan"
ALONE, WITHIN = "minidl, predict (native)", "minidl_native, its predict alone"
ENGINE = (
    Claim("native, 50 epochs: faster than torch eager, fused Adam", ">=", 30.0, against("fit", 50, NATIVE, TORCH)),
    Claim("native, 50 epochs: faster than scikit-learn", ">=", 3.0, against("fit", 50, NATIVE, "scikit-learn")),
    Claim("native, 50 epochs: faster than JAX's jitted scan", ">=", 2.0, against("fit", 50, NATIVE, JAX_SCAN)),
    Claim("native, 50 epochs", "<=", 25.0, Time(Key("fit", 50, NATIVE), 1, 1e3), "ms"),
    Claim("native, a step of them", "<=", 18.0, Time(Key("fit", 50, NATIVE), 1e-3, 1e6), "us"),
    Claim("native, 100 replicates: each one's step", "<=", 15.0, Time(Key(*R100, NATIVE), 1, 1e6), "us"),
    Claim("native, 100 replicates: faster on two threads", ">=", 1.9, Ratio(Key(*R100, NATIVE), Key(*R100, TWO, 2))),
    Claim(
        "native, 1000 networks of 1000 steps, two threads",
        "<=",
        60.0,
        Time(Key("replicates", 1000, TWO, 2), 1e6, 1.0),
        "s",
    ),
    Claim("native, predict one sample, inside", "<=", 2.0, Time(Key("forward", 1, WITHIN), 1, 1e6), "us"),
    Claim("native, predict one sample, from Python", "<=", 6.0, Time(Key("forward", 1, ALONE), 1, 1e6), "us"),
    *(
        Claim(
            f"784-{width}-{width}-10, {threads} thread{'s' * (threads > 1)}: auto, of the time on NumPy",
            "<=",
            1.03,
            cost("width", width, "minidl, fit (auto)", FIT, threads),
        )
        for threads in (1, 2)
        for width in WIDTHS
    ),
)

WIDE = tuple(
    Claim(
        f"784-{width}-{width}-10, {threads} thread{'s' * (threads > 1)}: torch over minidl",
        ">=",
        1.15 if width <= 256 else 1.0,
        against("width", width, LOOP, TORCH, threads),
    )
    for threads in (1, 2)
    for width in WIDTHS[1:]
)

FORWARD = tuple(
    Claim(f"forward only, batch {size:,}: of {words}", "<=", 1.2, cost("forward", size, "minidl, infer", rival))
    for words, rival in (
        ("the bare matmuls and activations", "NumPy, bare"),
        ("these with minidl's sigmoid", "NumPy, bare, careful sigmoid"),
    )
    for size in (50, 1000, 10_000)
)

MAKE = "make", 10_000_000, "minidl_data, make_disk", "NumPy, points alone"
HELD, IMPORT = "memory after 10,000 steps / after 10", "import minidl on top of numpy, ms"
REPRODUCE, REPRODUCE_PEAK = "minidl reproduce --seeds 100, s", "minidl reproduce --seeds 100: peak memory, MB"
REST = (
    Claim("minidl reproduce --seeds 100, all threads, on NumPy", "<=", 90.0, Fact(f"{REPRODUCE}, on NumPy"), "s"),
    Claim("minidl reproduce --seeds 100, all threads, native", "<=", 30.0, Fact(f"{REPRODUCE}, native"), "s"),
    Claim("minidl reproduce --seeds 100: peak memory", "<=", 1000.0, Fact(f"{REPRODUCE_PEAK}, on NumPy"), "MB"),
    Claim("memory after 10,000 steps, of that after 10, to a percent", "<=", 1.01, Fact(HELD)),
    Claim("10,000,000 disk points: of the time to draw them", "<=", 3.0, cost(*MAKE)),
    Claim("import minidl on top of NumPy", "<=", 50.0, Fact(IMPORT), "ms"),
)

CLAIMS = (*TRAINING, *REPLICATES, *ENGINE, *WIDE, *FORWARD, *REST)
