"""The tables of a run, as rows of text for the screen and for the page."""

from benchmarks.claims import CLAIMS, judge
from benchmarks.contestants import RACES
from benchmarks.records import spread
from benchmarks.slopes import GROWTHS, slope

TITLES = {
    "step": "One step, the same batch of 50 repeated: time per step",
    "training": "Training of the report's network, 50 epochs, loss of each step: time per training",
    "fit": "The same training with loss and accuracy of each epoch, as in fit: time per training",
    "forward": "Forward only, evaluation mode, by batch: time per sample",
    "replicates": "Replicates, by number: time per replicate and step",
    "replicates, two threads": "Replicates, on one thread and on two: time per replicate and step",
    "needs": "What real trainings need, with the native engine, 50 epochs of the report's network: time per training",
    "one sample": "The report's network, one sample at a time: time per step",
    "stream": "One epoch in batches of 50, by number of points: time per point",
    "LayerNorm": "2-w-w-w-2 with LayerNorm before each activation, batch 50, by width: time per step",
    "BatchNorm1d": "2-w-w-w-2 with BatchNorm1d before each activation, batch 50, by width: time per step",
    "estimators, float32": "fit of MLPClassifier, float32, by number of parameters: time per epoch",
    "estimators, float64": "fit of MLPClassifier, float64, by number of parameters: time per epoch",
    "estimators, batch": "fit of MLPClassifier, 2-25-25-25-1, 1000 samples, float32, by batch: time per epoch",
    "several networks": "MLPClassifier, 2-25-25-25-1, 20 networks beside 2 of scikit-learn's: time per call",
    "one row": "predict of MLPClassifier with one row, by number of parameters: time per call",
    "grid search": "GridSearchCV of MLPClassifier, 24 fits of 20 epochs, by number of parameters: time per search",
    "width": "784-w-w-10, batch 128, cross-entropy, by width: time per step",
    "one network": "One network, by number of parameters (2-25-25-25-2, batch 50; 64-100-10, batch 200; others 128): "
    "time per step",
    "batch": "The report's network by batch: time per step",
    "make": "Drawing and labelling points, by number: time per point",
    "batches": "Shuffled batches of 1000, by number of points: time per point",
    "standardise": "Drawing, labelling and standardising points, by number: time per point",
}
BY_THREADS = {"width", "estimators, float32", "estimators, float64"}  # run once per number of threads
RACE_HEAD = ["size", "threads", "contestant", "median", "quartiles", "over minidl's", "cores busy", "first call"]
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def duration(seconds):
    """Return three digits and a unit.

    >>> duration(0.00207)
    '2.07 ms'
    """
    scale, unit = next(((s, u) for s, u in UNITS if abs(seconds) >= s), UNITS[-1])
    return f"{seconds / scale:.3g} {unit}"


def three(spread, digits=2):
    low, median, high = (f"{value:.{digits}f}" for value in spread)
    return f"{median} ({low} to {high})"


def race_table(records, race):
    """Return the table of a race: the time of each contestant and its ratio to the reference."""
    rows = []
    keys = [key for key in (*records.timings, *records.missing) if key.race == race]
    order = {contestant.name: i for i, contestant in enumerate(RACES[race])}
    for key in sorted(keys, key=lambda key: (key.size, _group(key), order[key.contestant])):
        first = key._replace(contestant=RACES[race][0].name, threads=_group(key))
        place = [f"{key.size:,}", str(key.threads), key.contestant]
        rows.append(place + (_measured(records, key, first) if key in records.timings else _absent(records, key)))
    return RACE_HEAD, rows


def _group(key):
    """Return the number of threads of a contestant's race."""
    return key.threads if key.race in BY_THREADS else 1


def _measured(records, key, first):
    timing = records.timings[key]
    low, median, high = spread(timing.seconds)
    ratio = three(records.ratio(key, first)) if first in records.timings else ""
    quartiles = f"{duration(low)} to {duration(high)}"
    return [duration(median), quartiles, ratio, f"{timing.cores:.1f}", duration(timing.first)]


def _absent(records, key):
    return ["-", records.missing[key], "", "", ""]


def facts_table(records):
    rows = [[name, three(spread(values), 3 if max(values) < 10 else 1)] for name, values in records.facts.items()]
    return ["quantity", "median (quartiles)"], rows


def scores_table(records):
    """Return what the estimators of each package reached on held-out data, and their time over minidl_sklearn's."""
    rows = []
    for name, found in records.scores.items():
        for package, reached in found.items():
            mean, half = reached.interval()
            over = reached.seconds / found["minidl_sklearn"].seconds
            rows.append(
                [
                    name,
                    package,
                    f"{mean:.4f} ± {half:.4f}",
                    duration(reached.seconds / len(reached.values)),
                    f"{over:.1f}",
                ]
            )
    return ["data", "package", "mean score ± 95 % interval", "time per fit", "over minidl's"], rows


def slopes_table(records):
    """Return the growth of each contestant's time, for each race with sizes."""
    head = ["race", "contestant", "from", "to", "exponent", "marginal cost"]
    rows = []
    for growth in GROWTHS:
        for contestant in RACES[growth.race]:
            found = slope(growth, contestant.name, *records.sizes(growth.race, contestant.name))
            if found:
                reach = [f"{count:,.0f}" for count in found.reach]
                cost = f"{duration(found.marginal)} per {found.counted}"
                rows.append([growth.race, contestant.name, *reach, f"{found.exponent:.2f}", cost])
    return head, rows


def claims_table(records):
    rows = []
    for claim in CLAIMS:
        verdict = judge(claim, records)
        measured = "-" if verdict.spread is None else f"{three(verdict.spread)} {claim.unit}"
        rows.append([claim.text, f"{claim.sign} {claim.bound:g} {claim.unit}", measured, verdict.word])
    return ["claim", "bound", "median (quartiles)", ""], rows


def tables(records):
    """Yield title, head and rows of all tables."""
    for race, title in TITLES.items():
        yield title, *race_table(records, race)
    yield "Accuracy, or R², on held-out data over 10 seeds, default estimators", *scores_table(records)
    yield "Import time, size and memory", *facts_table(records)
    yield "Growth, one thread", *slopes_table(records)
    yield "Claims", *claims_table(records)


def doubts(records):
    """Return a warning if another process kept the cores busy."""
    alone = sum(key.threads == 1 for key in records.timings)
    robbed = len(records.robbed())
    words = f"{robbed} of {alone} timings on one thread had less than nine tenths of a core"
    return [f"{words}: measure again on a quiet machine."] if robbed else []


def chapters(records):
    """Yield title and lines of each table that has rows, for the screen."""
    for title, head, rows in tables(records):
        if rows:
            yield title, aligned([head, *rows])


def aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
