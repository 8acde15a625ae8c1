"""Notebooks to download: the examples of the gallery, and the demonstrations of the teacher's guide.

sphinx-gallery makes the notebooks of its examples; here each gets a first cell with the packages that it needs. Those
of the demonstrations come from the page's own text and code. They hold no outputs.
"""

import ast
import json
import re
from collections.abc import Iterator
from doctest import DocTestParser
from typing import Any

from sphinx.application import Sphinx

from parts.places import DOCS, write

PAGE = DOCS / "teaching.md"
FOLDER = "teaching"  # in the folder of generated files
GALLERY = DOCS / "gallery"

REQUIREMENTS = {
    "minidl": "./packages/minidl-core",
    "minidl_data": "./packages/minidl-data",
    "minidl_sklearn": "./packages/minidl-sklearn",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
    "scipy": "scipy",
    "torch": "torch",
    "onnxruntime": "onnx onnxruntime",
}
"""What pip installs in a clone, by the module that a notebook imports; NumPy comes with each of the first two."""

FENCE = re.compile(r"^( *)```python\n(.*?)^ *```\n", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r" *# doctest:.*")
DOWNLOAD = re.compile(r"^\*\*Notebook:\*\* {download}`([\w-]+)\.ipynb <.*\n", re.MULTILINE)
ANSWER = re.compile(r"^(\S.*)\n: (.*(?:\n  .*)*)", re.MULTILINE)
PAGE_LINK = re.compile(r'<a\s+href="([^"]+)">([^<]+)</a>')
TEXT_LINK = re.compile(r"\[([^\]]+)\]\(([\w/]+)\.md(#[\w-]+)?\)")
ROLE = re.compile(r":doc:`/([^`]+)`")


def finish_gallery(_app: Sphinx) -> None:
    """Complete the notebooks that sphinx-gallery has written: the first cell, and the names of pages of the site."""
    for path in sorted(GALLERY.glob("plot_*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = notebook["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        cells[0] = _code(first_cell(code))
        for cell in cells:
            if cell["cell_type"] == "markdown":
                cell["source"] = ROLE.sub(r"`docs/\1.md`", "".join(cell["source"])).splitlines(keepends=True)
        path.write_text(_as_json(notebook), encoding="utf-8")


def write_demonstrations() -> None:
    """Write a notebook for each demonstration of the teacher's guide."""
    for name, notebook in demonstrations(PAGE.read_text(encoding="utf-8")).items():
        write(f"{FOLDER}/{name}.ipynb", _as_json(notebook))


def demonstrations(page: str) -> dict[str, dict[str, Any]]:
    """Return a notebook for each section that offers one; the code at the beginning of the page goes before its own."""
    opening, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    shared = list(code_cells("\n".join(match[2] for match in FENCE.finditer(opening))))
    offers = {match[1]: section for section in sections if (match := DOWNLOAD.search(section))}
    return {name: _demonstration(f"# {section}", shared) for name, section in offers.items()}


def _demonstration(section: str, shared: list[dict[str, Any]]) -> dict[str, Any]:
    title, body = section.split("\n", 1)
    note = "From the teacher's guide of minidl. Addresses in brackets are pages of its site."
    cells, end = [_text(f"{title}\n\n{note}"), *shared], 0
    for match in FENCE.finditer(body):
        cells += [*_texts(body[end : match.start()]), *code_cells(match[2])]
        end = match.end()
    cells += _texts(body[end:])
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return _notebook([_code(first_cell(code)), *cells])


def code_cells(block: str) -> Iterator[dict[str, Any]]:
    """Yield the cells of a block of examples: each ends where the page shows an output, or at the end of the block."""
    lines: list[str] = []
    for example in DocTestParser().get_examples(block):
        lines.append(DIRECTIVE.sub("", example.source))
        if example.want:
            tags = ["raises-exception"] if example.exc_msg else []
            yield _code("".join(lines), tags)
            lines = []
    if lines:
        yield _code("".join(lines))


def first_cell(code: str) -> str:
    """Return a cell that says what the code needs beside Python, and how to install it."""
    modules = {module.partition(".")[0] for module in _imports(code)}
    needs = [requirement for module, requirement in REQUIREMENTS.items() if module in modules]
    *some, last = [name.rpartition("/")[2] for need in needs for name in need.split()]
    names = f"{', '.join(some)} and {last}" if some else last
    return (
        f"# This notebook needs {names}.\n"
        "# To install what is missing, uncomment the next line and run it in the root folder of a clone of minidl:\n"
        f"# %pip install {' '.join(needs)}"
    )


def _imports(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _texts(text: str) -> list[dict[str, Any]]:
    """Return text as a cell, in the Markdown of notebooks; no cell for empty text."""
    text = DOWNLOAD.sub("", text)
    text = PAGE_LINK.sub(lambda match: f"{match[2]} (`{match[1].replace('&amp;', '&')}`)", text)
    text = TEXT_LINK.sub(lambda match: f"{match[1]} (`{match[2]}.html{match[3] or ''}`)", text)
    text = ANSWER.sub(r"*\1*\n\n\2", text).strip()
    return [_text(text)] if text else []


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str, tags: list[str] | None = None) -> dict[str, Any]:
    metadata = {"tags": tags} if tags else {}
    lines = source.rstrip().splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": lines}


def _notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}


def _as_json(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
