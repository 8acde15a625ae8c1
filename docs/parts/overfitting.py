"""A network that overfits, and four remedies: curves with bands, and intervals, over twenty data sets and seeds."""

from functools import cache, partial
from typing import Any

import numpy as np

import minidl
import minidl_data
from parts.drawing import line, row, svg, text
from parts.plots import Plot

SEEDS, UNITS, EPOCHS, FLIPPED = range(20), 64, 200, 0.1
T_95 = 2.093
"""The quantile 0.975 of Student's distribution with 19 degrees of freedom."""
LOSS = minidl.CrossEntropyLoss("mean")
REMEDIES: dict[str, dict[str, Any]] = {
    "none": {},
    "dropout": {"p_drop": 0.5},
    "weight decay": {"weight_decay": 1.0},
    "early stopping": {"patience": 20},
    "ten times the data": {"samples": 1000},
}
LEFT, RIGHT, TOP, STEP = 130.0, 320.0, 34.0, 30.0  # of the drawing of intervals
Samples = tuple[np.ndarray, np.ndarray]


def curves() -> str:
    """Draw the losses of training and test without a remedy, and the test losses with two."""
    both = Plot("no remedy: loss", range(0, EPOCHS + 1, 50), (0, 0.5, 1, 1.5), "epoch")
    tests = Plot("test loss", range(0, EPOCHS + 1, 50), (0, 0.5, 1, 1.5), "epoch")
    for kind, (name, curve) in enumerate(zip(("training", "test"), _train()[1:], strict=True)):
        _curve(both, name, curve, kind)
    for kind, name in enumerate(("none", "dropout", "weight decay")):
        _curve(tests, name, _train(**REMEDIES[name])[2], kind)
    return row([
        both.svg("Without a remedy the training loss falls below 0.2, and the test loss rises above 1"),
        tests.svg("With dropout or weight decay the test loss hardly rises"),
    ])  # fmt: skip


def remedies() -> str:
    """Draw the mean test loss of each remedy with its interval."""
    places = [LEFT + (RIGHT - LEFT) * loss / 1.5 for loss in (0, 0.5, 1, 1.5)]
    bottom = TOP + STEP * len(REMEDIES)
    parts = [text((LEFT + RIGHT) / 2, 16, "test loss, with 95 % intervals")]
    parts += [line(x, TOP, x, bottom).replace("drawing-line", "drawing-grid") for x in places]
    parts += [text(x, bottom + 15, f"{k / 2:g}", "drawing-small") for k, x in enumerate(places)]
    words = []
    for index, (name, options) in enumerate(REMEDIES.items()):
        losses = _train(**options)[0]
        mean, half = losses.mean(), T_95 * losses.std(ddof=1) / len(losses) ** 0.5
        low, middle, high = (LEFT + (RIGHT - LEFT) * loss / 1.5 for loss in (mean - half, mean, mean + half))
        y = TOP + STEP * (index + 0.5)
        parts += [text(0, y + 4, name, "drawing-small drawing-left"), line(low, y, high, y)]
        parts.append(f'<circle class="drawing-dot" cx="{middle:.1f}" cy="{y}" r="4"/>')
        words.append(f"{name} {mean:.2f}")
    return row([svg(330, bottom + 24, parts, f"Mean test losses: {', '.join(words)}")])


def _curve(plot: Plot, name: str, curve: np.ndarray, kind: int) -> None:
    """Draw the median of the networks, on the band of the middle four fifths."""
    epochs = range(1, len(curve) + 1)
    low, middle, high = np.quantile(curve, (0.1, 0.5, 0.9), axis=1)
    plot.band(epochs, low, high, kind)
    plot.curve(name, epochs, middle, kind)


def _draw(samples: int, rng: object) -> Samples:
    """Draw points of the disk data set, and flip a part of the labels."""
    rng = np.random.default_rng(rng)
    x, y = minidl_data.make_disk(samples, rng=rng)
    return (x - 0.5) / 0.29, np.where(rng.random(samples) < FLIPPED, 1 - y, y)


@cache
def _train(
    *, p_drop: float = 0.0, weight_decay: float = 0.0, patience: int | None = None, samples: int = 100
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train twenty networks, each on data of its own.

    Return their final test losses, and the curves of training and test by epoch.
    """
    x, y = map(np.stack, zip(*(_draw(samples, 1000 + seed) for seed in SEEDS), strict=True))
    x_test, y_test = _draw(2000, 0)
    model = minidl.replicate(partial(_build, p_drop), SEEDS)
    options: dict[str, Any] = {"validation": (x_test[:300], y_test[:300])}
    if patience is not None:
        options = {"validation_split": 0.25, "callbacks": [minidl.EarlyStopping(patience=patience)]}
    history = minidl.fit(
        *(model, LOSS, minidl.AdamW(model, 0.01, weight_decay=weight_decay), x, y),
        epochs=EPOCHS * 100 // samples, batch_size=20, rng=list(SEEDS), **options,
    )  # fmt: skip
    final = minidl.evaluate(model, LOSS, x_test, y_test).loss
    return final, history.curve("loss"), history.curve("val_loss")


def _build(p_drop: float, seed: int) -> minidl.Sequential:
    rng, layers = np.random.default_rng(seed), []
    for n in (2, UNITS):
        layers += [minidl.Linear(n, UNITS, rng=rng), minidl.ReLU()]
        layers += [minidl.Dropout(p_drop, rng=rng)] if p_drop else []
    return minidl.Sequential([*layers, minidl.Linear(UNITS, 2, rng=rng)])
