"""The kernels of minidl-native as WebAssembly, compiled for the playground."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from parts.places import DOCS
from parts.ziggurat import header

SOURCE = DOCS / "playground" / "engine" / "border.cpp"
FLAGS = (
    "-target", "wasm32-wasi", "-mexec-model=reactor", "-mcpu=generic+simd128", "-std=c++17", "-O2", "-DNDEBUG",
    "-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden",
    "-ffunction-sections", "-Wno-psabi", "-DMINIDL_ISA=simd128", "-nostdlib++", "-s", "-Wl,--gc-sections",
)  # fmt: skip


def can_compile() -> bool:
    """Return whether the compiler is installed: the package ziglang."""
    return find_spec("ziglang") is not None


def compile_engine(folder: Path) -> Path:
    """Compile the kernels and their border into a folder; return the module of WebAssembly."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ziggurat.hpp").write_text(header(), encoding="utf-8")
    made = folder / "engine.wasm"
    command = [sys.executable, "-m", "ziglang", "c++", *FLAGS, f"-I{folder}", "-o", str(made), str(SOURCE)]
    subprocess.run(command, check=True)  # noqa: S603 - the compiler, with arguments that stand here
    return made
