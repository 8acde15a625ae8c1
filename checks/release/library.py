"""Reads a compiled library: its form, its processor, what it exports and what it needs of the system."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import pefile
from elftools.elf.elffile import ELFFile

from checks.release.targets import NEWEST_GLIBC, Target

EXPORT = "PyInit__engine"
MACHO_MAGIC, MACHO_PROCESSORS = 0xFEEDFACF, {0x01000007: "x86_64", 0x0100000C: "aarch64"}
MACHO_BUILD_VERSION, MACHO_OLD_VERSION, MACHO_SYMBOLS = 0x32, 0x24, 0x2
PE_PROCESSORS = {0x8664: "x86_64", 0xAA64: "aarch64"}
ELF_PROCESSORS = {"x64": "x86_64", "AArch64": "aarch64"}


@dataclass
class Facts:
    """What a library is."""

    form: str
    processor: str
    exports: set[str] = field(default_factory=set)
    glibc: tuple[int, ...] = ()  # the newest of the versions of its symbols
    system: tuple[int, ...] = ()  # the oldest macOS

    def words(self) -> str:
        """Return them as a clause."""
        needs = [f"glibc {'.'.join(map(str, self.glibc))}"] if self.glibc else []
        needs += [f"macOS {'.'.join(map(str, self.system))}"] if self.system else []
        return ", ".join([self.form, self.processor, *(f"needs {need}" for need in needs)])


def facts(path: Path) -> Facts:
    """Read a library.

    Raises
    ------
    ValueError
        If it is of no form that is known here.
    """
    start = path.read_bytes()[:4]
    if start == b"\x7fELF":
        return _of_elf(path)
    if start[:2] == b"MZ":
        return _of_pe(path)
    if start == struct.pack("<I", MACHO_MAGIC):
        return _of_macho(path.read_bytes())
    raise ValueError(f"{path.name}: expected ELF, PE or Mach-O of 64 bits, got a file that begins with {start!r}")


def faults(target: Target, found: Facts) -> list[str]:
    """Return what is wrong with a library of a target."""
    wrong = []
    if (found.form, found.processor) != (target.form, target.processor):
        wrong.append(f"expected {target.form} for {target.processor}, got {found.form} for {found.processor}")
    if EXPORT not in found.exports:
        wrong.append(f"expected the export {EXPORT}, got {', '.join(sorted(found.exports)) or 'none'}")
    if found.form == "ELF" and len(found.exports) > 1:  # the others cannot take each other's
        wrong.append(f"expected no export but {EXPORT}, got {', '.join(sorted(found.exports))}")
    if found.glibc > NEWEST_GLIBC:
        wrong.append(f"expected symbols of glibc {NEWEST_GLIBC} at the latest, got {found.glibc}")
    if found.glibc and "manylinux" not in target.platform:
        wrong.append("expected no symbol of glibc")
    oldest = tuple(map(int, target.platform.split("_")[1:3])) if found.system else ()
    if found.system > oldest:
        wrong.append(f"expected macOS {oldest}, got {found.system}")
    return wrong


def _of_elf(path: Path) -> Facts:
    with path.open("rb") as file:
        elf = ELFFile(file)
        found = Facts("ELF", ELF_PROCESSORS.get(elf.get_machine_arch(), elf.get_machine_arch()))
        symbols = elf.get_section_by_name(".dynsym").iter_symbols()
        found.exports = {symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF"}
        needed = elf.get_section_by_name(".gnu.version_r")
        names = [version.name for _, versions in needed.iter_versions() for version in versions] if needed else []
        found.glibc = max((_version(name) for name in names if name.startswith("GLIBC_")), default=())
        return found


def _of_pe(path: Path) -> Facts:
    with pefile.PE(str(path)) as pe:
        found = Facts("PE", PE_PROCESSORS.get(pe.FILE_HEADER.Machine, hex(pe.FILE_HEADER.Machine)))
        found.exports = {symbol.name.decode() for symbol in pe.DIRECTORY_ENTRY_EXPORT.symbols if symbol.name}
        return found


def _of_macho(data: bytes) -> Facts:
    _, processor, _, _, count, *_ = struct.unpack_from("<8I", data)
    found = Facts("Mach-O", MACHO_PROCESSORS.get(processor, hex(processor)))
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<2I", data, at)
        if command in (MACHO_BUILD_VERSION, MACHO_OLD_VERSION):
            packed = struct.unpack_from("<I", data, at + (12 if command == MACHO_BUILD_VERSION else 8))[0]
            found.system = packed >> 16, packed >> 8 & 0xFF
        if command == MACHO_SYMBOLS:
            found.exports = _macho_exports(data, *struct.unpack_from("<4I", data, at + 8))
        at += size
    return found


def _macho_exports(data: bytes, symbols: int, count: int, names: int, _size: int) -> set[str]:
    """Return the names of external symbols that are defined here, without the underscore in front of each."""
    found = set()
    for i in range(count):
        name, kind, section, *_ = struct.unpack_from("<IBBHQ", data, symbols + 16 * i)
        if kind & 1 and section:
            start = names + name
            found.add(data[start : data.index(b"\0", start)].decode().removeprefix("_"))
    return found


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.removeprefix("GLIBC_").split(".") if part.isdigit())
