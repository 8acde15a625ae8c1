"""Writes the page of a release: each file, what was found in it, and what was run."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HEAD = """\
# What a release would upload

Made by `nox -s release` on {system}. twine and check-wheel-contents accept all files, and `SHA256SUMS` has their sums.

| file | found in it | run |
|---|---|---|
"""


@dataclass
class Line:
    """A file, or the name of one that was not built; what was found in it, and what was run."""

    file: str
    found: str
    ran: str = ""


def write_page(dist: Path, lines: Sequence[Line]) -> None:
    """Write README.md."""
    rows = [f"| {line.file} | {line.found} | {line.ran} |" for line in lines]
    system = f"{platform.system()} for {platform.machine()}, Python {platform.python_version()}"
    (dist / "README.md").write_text(HEAD.format(system=system) + "\n".join([*rows, ""]), encoding="utf-8")


def write_sums(dist: Path, files: Sequence[Path]) -> None:
    """Write SHA256SUMS, in the form that `sha256sum --check` reads."""
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    (dist / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
