"""Drawings of cells: matrix products, masks, groups of a normalisation; and chains of modules."""

import numpy as np

import minidl
from parts.drawing import CELL, TINTS, Box, cells, line, row, svg, text

WIDTH = 330


def linear() -> str:
    """Draw the three products of a linear layer, with the row and the column that one element is made of."""
    samples, inputs, outputs = 4, 3, 2
    return row([
        _product("output", (samples, inputs, outputs), ("x", "Wᵀ", "y")),
        _product("gradient of the input", (samples, outputs, inputs), ("dy", "W", "dx")),
        _product("gradient of the weights", (outputs, samples, inputs), ("dyᵀ", "x", "dW")),
    ])  # fmt: skip


def dropout() -> str:
    """Draw the masks of two calls of one dropout layer."""
    module, ones = minidl.Dropout(0.5, rng=0), np.ones((5, 10))
    return row([_mask(f"{number} forward", module(ones)) for number in ("first", "second")])


def normalization() -> str:
    """Draw which elements are normalised together."""
    return row([
        _groups("LayerNorm: each row by itself", [i // 4 for i in range(16)]),
        _groups("BatchNorm1d: each column by itself", [i % 4 for i in range(16)]),
    ])  # fmt: skip


def sequential() -> str:
    """Draw a chain with its outputs and gradients."""
    names = ("Linear", "Tanh", "Linear", "loss")
    parts, wide, step, y = [], 58, 80, 60
    for i, name in enumerate(names):
        x = 38 + i * step
        parts += [f'<rect class="{TINTS[i % 2]}" x="{x}" y="{y}" width="{wide}" height="40"/>']
        parts += [text(x + wide / 2, y + 25, name)]
        parts += [*_arrow(x - 22, x, y + 12), text(x - 12, y - 4, f"x{'₀₁₂₃'[i]}", "drawing-small")]
        parts += [*_arrow(x, x - 22, y + 30), text(x - 12, y + 54, f"dx{'₀₁₂₃'[i]}", "drawing-small")]
    parts += [text(WIDTH / 2 + 20, 26, "forward: outputs →"), text(WIDTH / 2 + 20, y + 84, "← backward: gradients")]
    return row(
        [svg(350, y + 96, parts, "Outputs pass through the chain from left to right, gradients from right to left")]
    )


def residual() -> str:
    """Draw the two ways through a residual block."""
    y = 54
    parts = [f'<rect class="drawing-a" x="110" y="{y}" width="70" height="36"/>', text(145, y + 23, "f")]
    parts += [text(28, y + 22, "x"), *_arrow(40, 110, y + 18), *_arrow(180, 246, y + 18), text(258, y + 23, "+")]
    parts += [
        f'<circle class="drawing-grid" cx="258" cy="{y + 18}" r="12"/>',
        *_arrow(270, 310, y + 18),
        text(320, y + 22, "y"),
    ]
    parts += [line(70, y + 18, 70, 20), line(70, 20, 258, 20), line(258, 20, 258, y + 6), text(165, 14, "unchanged")]
    return row([svg(WIDTH, y + 46, parts, "The input reaches the sum directly, and through the inner module f")])


def concat() -> str:
    """Draw two branches of one input, and the gradients that come back."""
    parts, heights = [text(18, 62, "x")], (34, 80)
    for i, (tint, y) in enumerate(zip(TINTS, heights, strict=False)):
        parts += [line(28, 57, 60, 57), line(60, 57, 60, y), *_arrow(60, 100, y)]
        parts += [
            f'<rect class="{tint}" x="100" y="{y - 16}" width="60" height="32"/>',
            text(130, y + 5, f"f{'₁₂'[i]}"),
        ]
        parts += [*_arrow(160, 220, y), *cells(Box(224 + i * 2 * CELL, 44, 1, 2), tint)]
        parts.append(line(220, y, 220, 57))
    parts += [text(224 + 2 * CELL, 36, "y", "drawing-text")]
    return row([svg(WIDTH + 6, 106, parts, "Two branches read the same input, and their outputs stand side by side")])


def _product(title: str, sizes: tuple[int, int, int], names: tuple[str, str, str]) -> str:
    rows, inner, columns = sizes
    high, gap, top = max(rows, inner), 22, 62
    shapes, picked = ((rows, inner), (inner, columns), (rows, columns)), (0, columns - 1)
    x, parts = (WIDTH - CELL * (inner + 2 * columns) - 2 * gap) / 2, [text(WIDTH / 2, 16, title)]
    for i, (name, (m, n)) in enumerate(zip(names, shapes, strict=True)):
        box = Box(x, top + (high - m) * CELL / 2, m, n)
        parts += [*cells(box, TINTS[i]), *cells(_strip(box, i, picked), "drawing-strong")]
        parts += [
            text(box.middle, box.y - 22, name),
            text(box.middle, box.y - 7, f"{m} \N{MULTIPLICATION SIGN} {n}", "drawing-small"),
        ]
        if i < 2:
            parts.append(text(box.right + gap / 2, top + high * CELL / 2 + 5, "·="[i]))
        x = box.right + gap
    words = f"Each element of {names[2]} is made of one row of {names[0]} and one column of {names[1]}"
    return svg(WIDTH, top + high * CELL + 8, parts, f"{title}: {words}")


def _strip(box: Box, which: int, picked: tuple[int, int]) -> Box:
    """Return the row of the first factor, the column of the second or the element of the product."""
    i, j = picked
    if which == 0:
        return Box(box.x, box.y + i * CELL, 1, box.columns)
    if which == 1:
        return Box(box.x + j * CELL, box.y, box.rows, 1)
    return Box(box.x + j * CELL, box.y + i * CELL, 1, 1)


def _mask(title: str, factors: np.ndarray) -> str:
    parts = [text(WIDTH / 2, 16, title), text(WIDTH / 2, 30 + 5 * CELL + 16, "units →", "drawing-small")]
    for (i, j), factor in np.ndenumerate(factors):
        box = Box(36 + j * CELL, 30 + i * CELL, 1, 1)
        parts += cells(box, "drawing-a" if factor else "drawing-off")
        parts.append(text(box.middle, box.y + CELL / 2 + 4, f"{factor:g}", "drawing-small"))
    y = 30 + 5 * CELL / 2
    parts.append(f'<g transform="rotate(-90 20 {y})">{text(20, y, "← samples", "drawing-small")}</g>')
    return svg(WIDTH, 30 + 5 * CELL + 24, parts, f"{title}: about half of the factors are 0, the others 2")


def _groups(title: str, tints: list[int]) -> str:
    left, top = (WIDTH - 4 * CELL) / 2, 30
    parts = [text(WIDTH / 2, 16, title), text(WIDTH / 2, top + 4 * CELL + 18, "features →", "drawing-small")]
    for i, tint in enumerate(tints):
        parts += cells(Box(left + i % 4 * CELL, top + i // 4 * CELL, 1, 1), TINTS[tint])
    y = top + 2 * CELL
    parts.append(f'<g transform="rotate(-90 {left - 14} {y})">{text(left - 14, y, "← samples", "drawing-small")}</g>')
    return svg(WIDTH, top + 4 * CELL + 26, parts, f"{title}; elements of one colour share a mean and a variance")


def _arrow(start: float, end: float, y: float) -> list[str]:
    back = 5 if end < start else -5
    return [line(start, y, end, y), line(end, y, end + back, y - 4), line(end, y, end + back, y + 4)]
