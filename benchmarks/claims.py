"""The claims about minidl's speed, as data, and their comparison with a run.

A missed claim is printed and is not a failure, because a busy machine can miss any claim.
"""

from typing import NamedTuple

from benchmarks.measures import BEST, Fact, Gain, Ratio, Time
from benchmarks.records import Key, Spread


class Claim(NamedTuple):
    text: str
    sign: str  # ">=" or "<="
    bound: float
    measured: Ratio | Gain | Time | Fact
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
    """Return the ratio of the rival's time to minidl's: above 1, minidl is faster."""
    return Ratio(Key(race, size, rival, threads), Key(race, size, ours, threads))


def cost(race, size, ours, rival, threads=1):
    """Return the ratio of minidl's time to the rival's: below 1, minidl is faster."""
    return Ratio(Key(race, size, ours, threads), Key(race, size, rival, threads))


WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
LOOP, FIT, HAND, TORCH = "minidl, own loop", "minidl, fit", "NumPy by hand", "torch eager"
AUTO = "minidl, fit (auto)"

TRAINING = tuple(
    claim
    for race, ours, words in (("training", LOOP, "own loop"), ("fit", FIT, "fit"))
    for claim in (
        Claim(f"50 epochs, {words}: faster than torch eager, fused Adam", ">=", 5.0, against(race, 50, ours, TORCH)),
        Claim(f"50 epochs, {words}: faster than scikit-learn", ">=", 3.0, against(race, 50, ours, "scikit-learn")),
        Claim(f"50 epochs, {words}: time over NumPy by hand", "<=", 1.4, cost(race, 50, ours, HAND)),
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
    Claim("100 replicates: time per replicate over one network alone", "<=", 0.3, cost(*R100, LOOP, ONE)),
    Claim("100 replicates, fit: time per replicate over one network alone", "<=", 0.3, cost(*R100, FIT, ONE_FIT)),
    Claim("100 replicates: JAX's vmap and scan over minidl", ">=", 1.0, against(*R100, LOOP, JAX_MANY)),
    Claim("100 replicates: 100 torch runs over minidl", ">=", 15.0, against(*R100, LOOP, TORCH_ONE)),
    Claim("100 replicates, fit: 100 torch runs over minidl", ">=", 15.0, against(*R100, FIT, TORCH_ONE)),
)

NATIVE, TWO, JAX_SCAN = "minidl, fit (native)", "minidl, fit (native, 2 threads)", "JAX, jitted scan"
R100_ON_TWO = Key("replicates, two threads", 100, NATIVE), Key("replicates, two threads", 100, TWO, 2)
ALONE, WITHIN = "minidl, predict (native)", "minidl_native, its predict alone"
ENGINE = (
    Claim("native, 50 epochs: faster than torch eager, fused Adam", ">=", 30.0, against("fit", 50, NATIVE, TORCH)),
    Claim("native, 50 epochs: faster than scikit-learn", ">=", 3.0, against("fit", 50, NATIVE, "scikit-learn")),
    Claim("native, 50 epochs: faster than JAX's jitted scan", ">=", 2.0, against("fit", 50, NATIVE, JAX_SCAN)),
    Claim("native, 50 epochs", "<=", 25.0, Time(Key("fit", 50, NATIVE), 1, 1e3), "ms"),
    Claim("native, one step of these epochs", "<=", 18.0, Time(Key("fit", 50, NATIVE), 1e-3, 1e6), "us"),
    Claim("native, 100 replicates: step per replicate", "<=", 15.0, Time(Key(*R100, NATIVE), 1, 1e6), "us"),
    Claim(
        "native, 100 replicates: faster on two threads",
        ">=",
        1.9,
        Ratio(*R100_ON_TWO),
    ),
    Claim(
        "native, 100 replicates: gain by a second thread over that of two products at once",
        ">=",
        0.95,
        Gain(*R100_ON_TWO),
    ),
    Claim(
        "native, 1000 networks of 1000 steps, two threads",
        "<=",
        60.0,
        Time(Key("replicates", 1000, TWO, 2), 1e6, 1.0),
        "s",
    ),
    Claim("native, predict one sample, engine alone", "<=", 2.0, Time(Key("forward", 1, WITHIN), 1, 1e6), "us"),
    Claim("native, predict one sample, minidl.predict", "<=", 6.0, Time(Key("forward", 1, ALONE), 1, 1e6), "us"),
    *(
        Claim(
            f"784-{width}-{width}-10, {threads} thread{'s' * (threads > 1)}: engine 'auto' over NumPy",
            "<=",
            1.03,
            cost("width", width, AUTO, FIT, threads),
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

SHAPES = {
    "2-25-25-25-2": 1427,
    "64-100-10": 7510,
    "784-128-128-10": 118_282,
    "784-256-128-10": 235_146,
    "784-256-256-10": 269_322,
    "784-512-512-10": 669_706,
}  # number of parameters
ON_TWO_THREADS = "784-128-128-10", "784-256-256-10", "784-512-512-10"
BY_BLAS, TORCH_ON_TWO = "its products by BLAS", "torch eager, 2 threads"


def on_one(shape, over, under, of_over=1, of_under=1):
    """Return the ratio of two contestants' times for one network, each with its threads."""
    key = "one network", SHAPES[shape]
    return Ratio(Key(*key, over, of_over), Key(*key, under, of_under))


ONE_NETWORK = (
    Claim(
        "2-25-25-25-2, batch 50, native: time over its operations at BLAS's best rate",
        "<=",
        1.6,
        on_one("2-25-25-25-2", NATIVE, BEST),
    ),
    Claim(
        "64-100-10, batch 200, native: time over its operations at BLAS's best rate",
        "<=",
        1.25,
        on_one("64-100-10", NATIVE, BEST),
    ),
    *(
        Claim(f"{shape}, batch 128, native: time over its products by BLAS", "<=", 1.25, on_one(shape, NATIVE, BY_BLAS))
        for shape in ("784-128-128-10", "784-256-128-10")
    ),
    Claim("784-256-128-10: torch over native, 1 thread", ">=", 1.6, on_one("784-256-128-10", TORCH, NATIVE)),
    Claim("784-256-128-10: torch over native, 2 threads", ">=", 1.6, on_one("784-256-128-10", TORCH_ON_TWO, TWO, 2, 2)),
    *(
        Claim(f"{shape}: one network faster on two threads", ">=", 1.6, on_one(shape, NATIVE, TWO, of_under=2))
        for shape in ON_TWO_THREADS
    ),
    *(
        Claim(
            f"{shape}: gain by a second thread over that of two products at once",
            ">=",
            0.8,
            Gain(Key("one network", SHAPES[shape], NATIVE), Key("one network", SHAPES[shape], TWO, 2)),
        )
        for shape in ON_TWO_THREADS
    ),
)

FORWARD = tuple(
    Claim(f"forward only, batch {size:,}: time over {words}", "<=", 1.2, cost("forward", size, "minidl, infer", rival))
    for words, rival in (
        ("bare matmuls and activations", "NumPy, bare"),
        ("the same with minidl's sigmoid", "NumPy, bare, stable sigmoid"),
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
    Claim("memory after 10,000 steps over memory after 10 steps", "<=", 1.01, Fact(HELD)),
    Claim("10,000,000 disk points: time over the drawing alone", "<=", 3.0, cost(*MAKE)),
    Claim("import minidl on top of NumPy", "<=", 50.0, Fact(IMPORT), "ms"),
)

MILLION = "stream", 1_000_000, "minidl, slices as a stream", "minidl, fit on arrays"
NEEDS = (
    Claim(
        "native, clipping, AdamW, schedule and weights of samples: time over the plain training",
        "<=",
        1.15,
        cost("needs", 50, "clip, AdamW, schedule, weights", NATIVE),
    ),
    Claim("native, HuberLoss: time over MSELoss", "<=", 1.05, cost("needs", 50, "HuberLoss", NATIVE)),
    Claim(
        "native, EarlyStopping with restore_best: time over the same without",
        "<=",
        1.03,
        cost("needs", 50, "validation, EarlyStopping", "validation"),
    ),
    Claim("1,000,000 points as a stream in batches of 50: time over arrays", "<=", 1.5, cost(*MILLION)),
    Claim("train_step, one sample", "<=", 20.0, Time(Key("one sample", 1, "minidl, train_step"), 1, 1e6), "us"),
    *(
        Claim(f"{norm}, width {width}: faster than torch eager", ">=", 5.0, against(norm, width, AUTO, TORCH))
        for norm in ("LayerNorm", "BatchNorm1d")
        for width in (25, 64)
    ),
)

MLP, SKLEARN = "minidl_sklearn", "scikit-learn"
FITS = {
    "fit, 2-25-25-25-1": (1401, 12.0, 7.0),
    "fit, 2-64-64-1": (4417, 12.0, 6.0),
    "fit, 64-100-10": (7510, 5.0, 3.5),
    "fit, 784-128-10": (101_770, 2.5, 2.0),
}  # number of parameters, bounds in float32 and in float64
ESTIMATORS = (
    *(
        Claim(
            f"MLPClassifier, {words}, {dtype}, {threads} thread{'s' * (threads > 1)}: scikit-learn over minidl_sklearn",
            ">=",
            bound,
            against(f"estimators, {dtype}", size, MLP, SKLEARN, threads),
        )
        for words, (size, *bounds) in FITS.items()
        for dtype, bound in zip(("float32", "float64"), bounds, strict=True)
        for threads in (1, 2)
    ),
    Claim(
        "MLPClassifier, predict of one row: scikit-learn over minidl_sklearn",
        ">=",
        20.0,
        against("one row", 1401, MLP, SKLEARN),
    ),
    Claim(
        "20 networks at once: time over 2 of scikit-learn's",
        "<=",
        1.0,
        cost("several networks", 1401, "minidl_sklearn, 20 at once", "scikit-learn, 2 in turn"),
    ),
    Claim(
        "GridSearchCV of 24 fits: scikit-learn over minidl_sklearn",
        ">=",
        8.0,
        against("grid search", 1401, MLP, SKLEARN),
    ),
)

SCORES = tuple(
    Claim(f"{name}: held-out score over scikit-learn's", ">=", 0.99, Fact(f"{name}: score over scikit-learn's"))
    for name in ("digits", "breast_cancer", "wine", "diabetes", "friedman1")
)

CLAIMS = (*TRAINING, *REPLICATES, *ENGINE, *NEEDS, *ESTIMATORS, *SCORES, *WIDE, *ONE_NETWORK, *FORWARD, *REST)
