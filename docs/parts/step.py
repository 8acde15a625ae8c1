"""The page that walks through one training step, with the lines of source that compute its numbers."""

import json
from inspect import getsource
from pydoc import locate
from textwrap import dedent

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from parts.places import DOCS, EXTRA
from parts.single_page import bundle, fill, style
from parts.source import shorten, without_exceptions

SOURCE = DOCS / "step"

# For each name that walk.mjs uses: a function, and what its lines that compute the numbers begin with.
LINES = {
    "Linear.infer": ("minidl.Linear.infer", ("y = rows @", "y += ")),
    "Linear.weight": ("minidl.Linear.backward", ('self.accumulate_grad("weight"',)),
    "Linear.bias": ("minidl.Linear.backward", ('self.accumulate_grad("bias"',)),
    "Linear.dx": ("minidl.Linear.backward", ("dx = rows @",)),
    "Tanh.infer": ("minidl.Tanh.infer", ("return",)),
    "Tanh.backward": ("minidl.Tanh.backward", ("return",)),
    "Sigmoid.infer": ("minidl.arrays.numerics.sigmoid", ("return",)),
    "Sigmoid.backward": ("minidl.Sigmoid.backward", ("return",)),
    "Dropout.forward": ("minidl.Dropout.forward", ("factor = ", "return self.save_for_backward(x * ")),
    "Dropout.backward": ("minidl.Dropout.backward", ("return",)),
    "MSELoss.forward": ("minidl.MSELoss.forward", ("diff = ", "return")),
    "MSELoss.backward": ("minidl.MSELoss.backward", ("return",)),
    "Adam.m": ("minidl.Adam.value_of", ("m *= ", "m += ")),
    "Adam.v": ("minidl.Adam.value_of", ("v *= ", "v += ")),
    "Adam.step": ("minidl.Adam.value_of", ("xp.divide", "value /= ")),
    "Module.update": ("minidl.Module.update", ("value -= ",)),
}


def write_step() -> None:
    """Write the page."""
    page = EXTRA / "step" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(make_page(), encoding="utf-8")


def make_page() -> str:
    """Return the page, with styles, scripts and source."""
    sources = {name: source_of(*wanted) for name, wanted in LINES.items()}
    parts = {
        "/* STYLE */": style(SOURCE / "page.css"),
        "@SOURCES@": json.dumps(sources).replace("</", "<\\/"),
        "/* SCRIPT */": bundle(SOURCE / "src" / "main.mjs"),
    }
    return fill((SOURCE / "page.html").read_text(encoding="utf-8"), parts)


def source_of(name: str, beginnings: tuple[str, ...]) -> dict[str, object]:
    """Return a function's name, its lines as HTML, and the numbers of the lines that begin so.

    A function or a line that no longer exists is an error of the build.
    """
    function = locate(name)
    if function is None:
        raise ValueError(f"step: there is no function {name}")
    source = without_exceptions(shorten(dedent(getsource(function))))
    lines = source.splitlines()
    marked = [[i for i, line in enumerate(lines) if line.lstrip().startswith(each)] for each in beginnings]
    for each, found in zip(beginnings, marked, strict=True):
        if len(found) != 1:
            raise ValueError(f"step: expected one line of {name} that begins with {each!r}, got {len(found)}")
    html = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).splitlines()
    indents = [len(line) - len(line.lstrip()) for line in lines]
    return {"name": name, "lines": html, "indents": indents, "marked": [found[0] for found in marked]}
