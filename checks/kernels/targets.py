"""The compilers and processors that the kernels are tested with, and what each needs on this machine."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ZIG_TOOLCHAIN = HERE.parent / "cross" / "zig.cmake"
# Static, because an emulator then needs no libraries of the other processor.
ARM = ("-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", "-DCMAKE_EXE_LINKER_FLAGS=-static")
ARM_GCC = "aarch64-linux-gnu-g++"


@dataclass(frozen=True)
class Target:
    """A compiler with its options for CMake, the program that runs what it makes, and what both need."""

    name: str
    compiler: tuple[str, ...]
    needs: tuple[str, ...]
    runner: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the programs and packages that are not on this machine."""
        return [name for name in self.needs if not (zig() if name == "ziglang" else shutil.which(name))]


def zig() -> str | None:
    """Return the program of the package ziglang, None if it is not installed."""
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    return str(Path(spec.origin).parent / "zig")


def by_zig(target: str) -> tuple[str, ...]:
    """Return the options with which CMake compiles by zig."""
    return f"-DCMAKE_TOOLCHAIN_FILE={ZIG_TOOLCHAIN}", f"-DMINIDL_ZIG={zig()}", f"-DMINIDL_TARGET={target}"


def by(compiler: str) -> str:
    """Return the option with which CMake takes a compiler."""
    return f"-DCMAKE_CXX_COMPILER={compiler}"


def all_targets() -> tuple[Target, ...]:
    """Return every target, the quickest first. An emulator runs what the processor cannot run itself."""
    here = platform.machine()
    emulators = ["qemu-aarch64-static", "qemu-aarch64"]
    arm = () if here == "aarch64" else (next(filter(shutil.which, emulators), emulators[0]),)
    wasi = ("node", "--no-warnings", str(HERE / "wasi.mjs"))
    clang_for_arm = (by("clang++"), "-DCMAKE_CXX_COMPILER_TARGET=aarch64-linux-gnu", *ARM)
    return (
        Target(f"{here}, GCC", (by("g++"),), ("g++",)),
        Target(f"{here}, Clang", (by("clang++"),), ("clang++",)),
        Target(f"{here}, zig", by_zig(f"{here}-linux-musl"), ("ziglang",)),
        Target("wasm32, zig", by_zig("wasm32-wasi"), ("node", "ziglang"), wasi),
        Target("aarch64, GCC", (by(ARM_GCC), *ARM), (ARM_GCC, *arm), arm),
        Target("aarch64, Clang", clang_for_arm, ("clang++", ARM_GCC, *arm), arm),  # with the libraries of that GCC
        Target("aarch64, zig", by_zig("aarch64-linux-musl"), ("ziglang", *arm), arm),
    )
