"""The kernels of minidl-native as WebAssembly, compiled for the playground."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from parts.places import DOCS, ROOT
from parts.ziggurat import header

SOURCE = DOCS / "playground" / "engine" / "border.cpp"
KERNELS = ROOT / "packages" / "minidl-native" / "engine"
FLAGS = (
    "-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-std=c++17", "-O2", "-DNDEBUG", "-DMINIDL_ISA=simd128",
    "-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden",
    "-ffunction-sections", "-Wno-psabi", "-s",
    "-Wl,--no-entry", "-Wl,--gc-sections", "-Wl,--import-symbols",  # engine.mjs has what is imported
)  # fmt: skip


def can_compile() -> bool:
    """Return whether the compiler is installed: the package ziglang."""
    return find_spec("ziglang") is not None


def compile_engine(folder: Path) -> Path:
    """Compile the kernels and their border into a folder, unless that was done; return the module of WebAssembly."""
    made = folder / "engine.wasm"
    sources = [*KERNELS.rglob("*.?pp"), *SOURCE.parent.iterdir(), *Path(__file__).parent.glob("*.py")]
    if made.exists() and made.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return made
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ziggurat.hpp").write_text(header(), encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=folder) as own:  # two builds at once never see half of a file
        new = Path(own, made.name)
        command = [sys.executable, "-m", "ziglang", "c++", *FLAGS, f"-I{folder}", "-o", str(new), str(SOURCE)]
        subprocess.run(command, check=True)  # noqa: S603 - the compiler, with arguments that stand here
        new.replace(made)
    return made
