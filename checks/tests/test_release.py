"""What a release says of its files: platforms, symbols of libraries, and the pages of the folder."""

import hashlib
import re
import struct
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # the root is no package that anyone installs

pytest.importorskip("elftools")
pytest.importorskip("pefile")

from checks.release import library
from checks.release.build import BuildError, run
from checks.release.library import EXPORT, Facts, facts, faults
from checks.release.page import Line, write_page, write_sums
from checks.release.targets import NEWEST_GLIBC, TARGETS
from checks.release.windows import DATA, _is_data, write_headers

LINUX, MUSL, MAC, WINDOWS = (
    next(target for target in TARGETS if target.platform.startswith(name))
    for name in ("manylinux", "musllinux", "macosx", "win")
)
SOUND = {
    LINUX: Facts("ELF", "x86_64", {EXPORT}, glibc=(2, 28)),
    MUSL: Facts("ELF", "x86_64", {EXPORT}),
    MAC: Facts("Mach-O", "x86_64", {EXPORT, "another"}, system=(11, 0)),
    WINDOWS: Facts("PE", "x86_64", {EXPORT, "another"}),
}


def test_each_platform_is_one_of_a_wheel():
    """The forms are those of PEP 600, PEP 656, and of the tags for macOS and Windows."""
    names = [target.platform for target in TARGETS]
    assert len(set(names)) == len(names)
    form = (
        r"manylinux_\d+_\d+_(x86_64|aarch64)|musllinux_\d+_\d+_(x86_64|aarch64)|macosx_\d+_\d+_(x86_64|arm64)|win_amd64"
    )
    assert all(re.fullmatch(form, name) for name in names)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.platform)
def test_a_platform_agrees_with_its_target(target):
    """A wheel of aarch64 with the compiler's target for x86_64 would be taken nowhere."""
    assert target.zig.startswith(target.processor)
    assert target.platform.endswith({"x86_64": ("x86_64", "amd64"), "aarch64": ("aarch64", "arm64")}[target.processor])
    assert (target.library == "_engine.pyd") == (target.form == "PE")
    if target.platform.startswith("manylinux"):
        assert tuple(map(int, target.platform.split("_")[1:3])) == NEWEST_GLIBC
        assert target.zig.endswith(f".{'.'.join(map(str, NEWEST_GLIBC))}")
    if target.platform.startswith("macosx"):
        assert target.zig.endswith(".".join(target.platform.split("_")[1:3]))


@pytest.mark.parametrize("target", SOUND, ids=lambda target: target.platform)
def test_a_library_as_it_should_be_has_no_faults(target):
    assert faults(target, SOUND[target]) == []


@pytest.mark.parametrize(
    ("target", "changes", "fault"),
    [
        (LINUX, {"processor": "aarch64"}, "expected ELF for x86_64, got ELF for aarch64"),
        (WINDOWS, {"form": "ELF"}, "expected PE for x86_64, got ELF for x86_64"),
        (MAC, {"exports": {"x"}}, f"expected the export {EXPORT}, got x"),
        (LINUX, {"exports": set()}, f"expected the export {EXPORT}, got none"),
        (LINUX, {"exports": {EXPORT, "_Znwm"}}, f"expected no export but {EXPORT}, got {EXPORT}, _Znwm"),
        (LINUX, {"glibc": (2, 34)}, "expected symbols of glibc (2, 28) at the latest, got (2, 34)"),
        (MUSL, {"glibc": (2, 17)}, "expected no symbol of glibc"),
        (MAC, {"system": (12, 1)}, "expected macOS (11, 0), got (12, 1)"),
    ],
)
def test_faults_are_named(target, changes, fault):
    assert fault in faults(target, replace(SOUND[target], **changes))


def test_newer_symbols_are_newer_as_numbers():
    """As text, 2.9 would be newer than 2.28."""
    names = ["GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.28", "GLIBC_PRIVATE"]
    assert max(map(library._version, names)) == (2, 28)
    assert library._version("GLIBC_PRIVATE") == ()


def test_words():
    assert SOUND[LINUX].words() == "ELF, x86_64, needs glibc 2.28"
    assert SOUND[MAC].words() == "Mach-O, x86_64, needs macOS 11.0"
    assert SOUND[WINDOWS].words() == "PE, x86_64"


@pytest.mark.skipif(sys.platform != "linux" or not find_spec("minidl_native"), reason="reads the engine of Linux")
def test_the_engine_of_this_machine():
    """The one that is installed here may export more than that of a release."""
    (engine,) = Path(find_spec("minidl_native").submodule_search_locations[0]).glob("_engine*.so")
    found = facts(engine)
    assert found.form == "ELF"
    assert EXPORT in found.exports
    assert (2,) < found.glibc < (3,)


def macho(command, packed, symbols):
    """Return a library of macOS: a header, the command that has the system, and a table of symbols."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, *_ in symbols)
    system = struct.pack("<4I", command, 16, *((1, packed) if command == library.MACHO_BUILD_VERSION else (packed, 0)))
    start = 32 + len(system) + 24
    table = struct.pack("<6I", library.MACHO_SYMBOLS, 24, start, len(symbols), start + 16 * len(symbols), len(names))
    head = struct.pack("<8I", library.MACHO_MAGIC, 0x0100000C, 0, 6, 2, 0, 0, 0)
    entries = b"".join(
        struct.pack("<IBBHQ", names.index(b"\0" + name.encode() + b"\0") + 1, kind, section, 0, 0)
        for name, kind, section in symbols
    )
    return head + system + table + entries + names


@pytest.mark.parametrize("command", [library.MACHO_BUILD_VERSION, library.MACHO_OLD_VERSION])
def test_symbols_and_system_of_macos(command, tmp_path):
    symbols = [("_PyInit__engine", 0x0F, 1), ("_taken", 0x01, 0), ("_hidden", 0x0E, 1)]
    (tmp_path / "x.so").write_bytes(macho(command, 11 << 16 | 3 << 8, symbols))
    found = facts(tmp_path / "x.so")
    assert found == Facts("Mach-O", "aarch64", {"PyInit__engine"}, system=(11, 3))


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x.so").write_bytes(b"#!/bin/sh")
    with pytest.raises(
        ValueError, match=r"x\.so: expected ELF, PE or Mach-O of 64 bits, got a file that begins with b'#!/b'"
    ):
        facts(tmp_path / "x.so")


def test_a_tool_that_fails_says_why():
    """The last line with an error, or the last line of all."""
    script = "print('error: this one'); print('make: stopped'); raise SystemExit(3)"
    with pytest.raises(BuildError, match=r"^error: this one$"):
        run(sys.executable, "-c", script)
    with pytest.raises(BuildError, match=r"^only words$"):
        run(sys.executable, "-c", "print('only words'); raise SystemExit(3)")
    with pytest.raises(BuildError, match=r"ended with 3$"):
        run(sys.executable, "-c", "raise SystemExit(3)")
    assert run(sys.executable, "-c", "print('fine')") == "fine\n"


def test_the_page_has_a_row_for_each_file(tmp_path):
    write_page(tmp_path, [Line("a.whl", "ELF", "12 passed"), Line("win_amd64", "not built: no compiler")])
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.endswith("|---|---|---|\n| a.whl | ELF | 12 passed |\n| win_amd64 | not built: no compiler |  |\n")


def test_sums_are_those_of_the_files(tmp_path):
    files = [tmp_path / "b.whl", tmp_path / "a.tar.gz"]
    for file in files:
        file.write_bytes(file.name.encode())
    write_sums(tmp_path, files)
    lines = (tmp_path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == ["a.tar.gz", "b.whl"]
    assert [line.split("  ")[0] for line in lines] == [
        hashlib.sha256(name).hexdigest() for name in (b"a.tar.gz", b"b.whl")
    ]


def test_data_of_python_are_told_from_functions():
    """The linker calls a function through a table, in which data must not be looked for."""
    assert all(map(_is_data, [*DATA, "PyExc_ValueError", "PyUnicode_Type"]))
    assert not any(map(_is_data, ["PyErr_SetString", "PyType_FromSpec", "_Py_Dealloc"]))


def test_headers_have_the_settings_of_windows(tmp_path):
    headers = write_headers(tmp_path)
    assert "#define MS_WIN64" in (headers / "pyconfig.h").read_text(encoding="utf-8")
    assert (headers / "Python.h").is_file()
