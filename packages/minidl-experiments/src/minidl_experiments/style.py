"""Colours, line styles and matplotlib settings of all figures."""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette, distinguishable with every kind of colour vision.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"

RED = "#e00000"
GREYS = "#c4c4c4", "#7a7a7a"  # outside and inside the disk

COLORS = {"SGD": ORANGE, "Adam": BLUE, "Tanh": ORANGE, "ReLU": BLUE, "Leaky ReLU": GREEN}
DASHES = {"Tanh": "--", "ReLU": "-", "Leaky ReLU": "-."}

BAND: dict[str, Any] = {"alpha": 0.1, "linewidth": 0}
EDGE: dict[str, Any] = {"alpha": 0.5, "linewidth": 0.8}
DPI = 150

RC: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
"""Matplotlib's settings. The type is Any because matplotlib types each name as a literal."""
