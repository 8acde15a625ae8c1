"""The settings of the gallery: execution and style."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler

from parts.places import DOCS

EXAMPLES = DOCS / "examples"
# Okabe and Ito's palette, which readers with any colour vision can distinguish.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "savefig.dpi": 150,
}


def set_style(_conf: dict[str, Any], _name: str) -> None:
    """Set the same style for every example."""
    plt.rcdefaults()
    mpl.use("agg")
    plt.rcParams.update(STYLE)


def settings() -> dict[str, Any]:
    """Return the settings of sphinx-gallery; delete the pages that an earlier build made of examples now left out."""
    left_out = _left_out()
    for path in left_out:
        for made in (DOCS / "gallery").glob(f"{path.stem}.*"):
            made.unlink()
    return {
        "examples_dirs": str(EXAMPLES),
        "gallery_dirs": "gallery",
        "filename_pattern": r"/plot_",
        "ignore_pattern": "|".join([r"__init__\.py", *map(_exactly, left_out)]),
        "within_subsection_order": "FileNameSortKey",
        "reset_modules": ("parts.gallery.set_style",),
        "download_all_examples": False,
        "first_notebook_cell": "",  # parts/notebooks.py fills it
        "show_memory": False,
        "write_computation_times": False,
        "show_signature": False,
        "remove_config_comments": True,
        "run_stale_examples": True,
        "parallel": os.cpu_count() or 1,
        "image_scrapers": ("matplotlib",),
        "min_reported_time": 60,
        "copyfile_regex": "",
    }


def _left_out() -> list[Path]:
    """Return the examples that need torch if it is not installed."""
    if find_spec("torch") is not None:
        return []
    return [path for path in EXAMPLES.glob("plot_*.py") if "\nimport torch\n" in path.read_text(encoding="utf-8")]


def _exactly(path: Path) -> str:
    return path.name.replace(".", r"\.")
