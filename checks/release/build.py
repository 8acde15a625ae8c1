"""Compiles the extension for a target, and puts it into a wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

from checks.kernels.targets import by_zig, zig
from checks.release.targets import Target
from checks.release.windows import write_headers, write_import_library

HERE = Path(__file__).resolve().parent
# Stripped. Of the C++ library that is linked into it, an ELF library would export some operators, and perhaps take
# another's. For macOS zig makes no bundle, which CMake asks for; Python loads any shared library.
LINKER_FLAGS = {
    "ELF": f"-s -Wl,--version-script={HERE.parent / 'cross' / 'elf.map'}",
    "Mach-O": "-s -shared",
    "PE": "-s",
}
EARLIEST = "315532800"  # 1980, the first time that a wheel can hold: equal sources give equal wheels


class BuildError(Exception):
    """A target was not built; the message is what the tools said last."""


def run(*command: str | Path) -> str:
    """Run a tool; return what it prints."""
    words = [str(word) for word in command]
    environment = os.environ | {"SOURCE_DATE_EPOCH": EARLIEST}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - tools of the build
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        wrong = [line for line in said if "error" in line.lower()] or said
        raise BuildError(" ".join(wrong[-1:]).strip() or f"{words[0]} ended with {done.returncode}")
    return done.stdout + done.stderr


def unpack_sdist(sdist: Path, folder: Path) -> Path:
    """Unpack the sdist of minidl-native; return the folder of its source."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / sdist.name.removesuffix(".tar.gz")


def used_of_python(library: Path) -> set[str]:
    """Return the names that an ELF library takes from Python."""
    with library.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".dynsym").iter_symbols()
        return {s.name for s in symbols if s["st_shndx"] == "SHN_UNDEF" and re.match(r"_?Py", s.name)}


def compile_library(target: Target, source: Path, folder: Path, names: set[str], optimize: str) -> Path:
    """Compile the extension for a target; return the library. `names` are those that it takes from Python."""
    options = [*by_zig(target.zig), f"-DPython_EXECUTABLE={sys.executable}", f"-DMINIDL_OPTIMIZE={optimize}"]
    options += [f"-DCMAKE_MODULE_LINKER_FLAGS={LINKER_FLAGS[target.form]}"]
    if target.form == "PE":
        extra = folder / "python"
        if not names:
            raise BuildError("its import library has the names that a wheel for Linux uses: build one of these with it")
        headers = write_headers(extra)
        options += [f"-DPython_INCLUDE_DIR={headers}"]
        options += [f"-DPython_LIBRARY={write_import_library(str(zig()), names, extra)}"]
    run("cmake", "-S", source, "-B", folder / "build", "-G", "Ninja", *options)
    run("cmake", "--build", folder / "build")
    library = folder / "build" / target.library
    if target.platform.startswith("musllinux"):
        # zig names its libc as musl does, auditwheel expects Alpine's name; musl takes both for itself.
        run("patchelf", "--replace-needed", "libc.so", f"libc.musl-{target.processor}.so.1", library)
    return library


def pack(target: Target, library: Path, wheel: Path, folder: Path, dist: Path) -> Path:
    """Put a library into a copy of a wheel for another platform; return the new wheel."""
    run(sys.executable, "-m", "wheel", "unpack", wheel, "--dest", folder / "wheel")
    (content,) = (folder / "wheel").iterdir()
    for old in (content / "minidl_native").glob("_engine.*"):
        if old.suffix in (".so", ".pyd"):
            old.unlink()
    shutil.copy(library, content / "minidl_native" / target.library)
    (record,) = content.glob("*.dist-info/WHEEL")
    tag = f"cp311-abi3-{target.platform}"
    record.write_text(re.sub(r"(?m)^Tag: .*$", f"Tag: {tag}", record.read_text("utf-8")), encoding="utf-8")
    run(sys.executable, "-m", "wheel", "pack", content, "--dest-dir", dist)
    (made,) = dist.glob(f"*-{tag}.whl")
    return made
