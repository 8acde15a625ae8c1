"""The playground as one page that needs neither a server nor the network: scripts, styles and kernels stand in it."""

import base64
from pathlib import Path

from parts.places import DOCS, EXTRA, GENERATED
from parts.single_page import bundle, fill, style
from parts.wasm import can_compile, compile_engine

MOST_BYTES = 500_000

SOURCE = DOCS / "playground"
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
        "/* STYLE */": style(SOURCE / "page.css"),
        "@WASM@": base64.b64encode(engine.read_bytes()).decode("ascii"),
        "@WORKER@": bundle(SOURCE / "src" / "worker.mjs"),
        "/* SCRIPT */": bundle(SOURCE / "src" / "main.mjs"),
    }
    return fill((SOURCE / "page.html").read_text(encoding="utf-8"), parts)
