"""MathJax as a file of the site, from the package that contains it: formulas need no network."""

import shutil
from importlib.metadata import distribution

from parts.places import STATIC

SCRIPT = "tex-svg.js"  # its glyphs are SVG paths, so it needs no fonts


def copy_mathjax() -> None:
    """Copy MathJax to the static files."""
    carrier = distribution("sphinx-mathjax-offline")
    STATIC.mkdir(parents=True, exist_ok=True)
    shutil.copy(carrier.locate_file(f"sphinx-mathjax-offline/static/mathjax/{SCRIPT}"), STATIC / SCRIPT)
