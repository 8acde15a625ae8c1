"""Formulas without the network: MathJax is taken from the package that carries it, and copied beside the pages."""

import shutil
from importlib.metadata import distribution

from parts.places import STATIC

SCRIPT = "tex-svg.js"  # glyphs are paths inside it: one file, no fonts


def copy_mathjax() -> None:
    """Put MathJax among the static files."""
    carrier = distribution("sphinx-mathjax-offline")
    STATIC.mkdir(parents=True, exist_ok=True)
    shutil.copy(carrier.locate_file(f"sphinx-mathjax-offline/static/mathjax/{SCRIPT}"), STATIC / SCRIPT)
