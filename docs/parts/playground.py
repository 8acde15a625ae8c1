"""The playground as one page that needs neither a server nor the network: scripts, styles and kernels stand in it."""

import base64
import re
from pathlib import Path

from parts.places import DOCS, GENERATED
from parts.wasm import can_compile, compile_engine

MOST_BYTES = 500_000

SOURCE = DOCS / "playground"
EXTRA = GENERATED / "extra"
"""Files that are copied to the site as they are, at the same place."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+|\[[^\]]*\])", re.MULTILINE)

MISSING = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Playground - minidl</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"></head>
<body><h1>Playground</h1><p>This site was built without the compiler for WebAssembly, and so without the playground.
With the package ziglang installed, the same build makes it. <a href="../index.html">minidl</a></p></body></html>
"""


def write_playground() -> str:
    """Write the page, or one that says why there is none; return what was done in words."""
    page = EXTRA / "playground" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    if not can_compile():
        page.write_text(MISSING, encoding="utf-8")
        return "playground: not built, because ziglang is not installed"
    text = make_page(compile_engine(GENERATED / "playground"))
    size = len(text.encode())
    if size > MOST_BYTES:
        raise ValueError(f"playground: expected at most {MOST_BYTES} bytes, got {size}")
    page.write_text(text, encoding="utf-8")
    return f"playground: {size // 1000} kB"


def make_page(engine: Path) -> str:
    """Return the page with the compiled kernels."""
    parts = {
        "/* STYLE */": (SOURCE / "page.css").read_text(encoding="utf-8"),
        "@WASM@": base64.b64encode(engine.read_bytes()).decode("ascii"),
        "@WORKER@": bundle(SOURCE / "src" / "worker.mjs"),
        "/* SCRIPT */": bundle(SOURCE / "src" / "main.mjs"),
    }
    page = (SOURCE / "page.html").read_text(encoding="utf-8")
    for mark, text in parts.items():
        before, found, after = page.partition(mark)
        if not found or "</script" in text:
            raise ValueError(f"playground: expected {mark} once in page.html, and no end of a script in its text")
        page = before + text + after
    return page


def bundle(entry: Path) -> str:
    """Return a module and all that it imports as one classic script.

    A page that is opened as a file may not load modules. They are joined in one scope, so no two of them may have a
    name in common.
    """
    texts = _in_order(entry, {})
    script = "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
    names = _NAME.findall(script)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"playground: expected names that differ between modules, got {', '.join(twice)} twice")
    return f'"use strict";\n(() => {{\n{script}\n}})();\n'


def _in_order(path: Path, seen: dict[Path, None]) -> list[str]:
    """Return the texts of modules, each behind those that it imports."""
    if path in seen:
        return []
    seen[path] = None
    text = path.read_text(encoding="utf-8")
    below = [(path.parent / name).resolve() for name in _IMPORT.findall(text)]
    return [part for other in below for part in _in_order(other, seen)] + [text]
