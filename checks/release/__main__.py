"""Makes a release: ``python -m checks.release PRODUCTS FOLDER``.

PRODUCTS has an sdist and a wheel of each package. Those that are the same for every system are copied. The extension is
compiled by zig for each system, and put into wheels. Every file is checked and, where that is possible, run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from checks.release.build import BuildError, compile_library, pack, run, unpack_sdist, used_of_python
from checks.release.library import facts, faults
from checks.release.page import Line, write_page, write_sums
from checks.release.proofs import faults as faults_of_wheel
from checks.release.proofs import prove
from checks.release.targets import TARGETS, Target


class Release:
    """A release that is being made: the files so far, and what is known of each."""

    def __init__(self, products: Path, dist: Path, work: Path, optimize: str) -> None:
        self.dist, self.work, self._optimize = dist, work, optimize
        self.lines: list[Line] = []
        self.failed = False
        (self.wheel,) = products.glob("minidl_native-*.whl")
        (self._sdist,) = products.glob("minidl_native-*.tar.gz")
        (self.core,) = products.glob("minidl_core-*.whl")
        self.source = unpack_sdist(self._sdist, work)
        self.names: set[str] = set()

    def copy(self, products: Path) -> None:
        """Take what is the same for every system."""
        for file in sorted(products.iterdir()):
            if file != self.wheel:
                shutil.copy(file, self.dist)
                self.lines.append(Line(file.name, "the same for every system", "in `nox -s build` and `tests`"))

    def add(self, target: Target) -> None:
        """Build, check and run the wheel of a target."""
        print(f"== {target.platform}", flush=True)
        folder = self.work / target.platform
        folder.mkdir()
        try:
            library = compile_library(target, self.source, folder, self.names, self._optimize)
            if target.form == "ELF":
                self.names |= used_of_python(library)
            found = facts(library)
            wheel = pack(target, library, self.wheel, folder, self.dist)
        except (BuildError, ValueError) as error:
            self._fail(target.platform, f"not built: {error}")
            return
        wrong = [*faults(target, found), *faults_of_wheel(target, wheel)]
        if wrong:
            wheel.unlink()
            self._fail(target.platform, f"not taken: {'; '.join(wrong)}")
            return
        try:
            ran = prove(target, wheel, self.core, folder)
        except BuildError as error:
            wheel.unlink()
            self._fail(target.platform, f"not taken, its tests failed: {error}")
            return
        print(f"{wheel.name}: {found.words()}; {ran}", flush=True)
        self.lines.append(Line(wheel.name, found.words(), ran))

    def close(self) -> None:
        """Check all files together, and write the pages."""
        files = sorted(file for file in self.dist.iterdir() if file.name.endswith((".whl", ".tar.gz")))
        run(sys.executable, "-m", "twine", "check", "--strict", *files)
        run("check-wheel-contents", *(file for file in files if file.suffix == ".whl"))
        write_page(self.dist, self.lines)
        write_sums(self.dist, files)

    def _fail(self, name: str, why: str) -> None:
        print(f"{name}: {why}", flush=True)
        self.lines.append(Line(name, why))
        self.failed = True


def main(arguments: Sequence[str]) -> int:
    """Return 1 if a wheel is missing."""
    parser = argparse.ArgumentParser(prog="python -m checks.release", description=__doc__)
    parser.add_argument("products", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("platforms", nargs="*", help="beginnings of platforms to build for; without any, all")
    parser.add_argument("--optimize", default="-O3", help="the compilers' option; -O1 for a try")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if any(options.folder.iterdir()):
        parser.error(f"expected an empty folder, got {options.folder} with files: remove them")
    with tempfile.TemporaryDirectory() as work:
        release = Release(options.products, options.folder, Path(work), options.optimize)
        release.copy(options.products)
        for target in TARGETS:
            if target.platform.startswith(tuple(options.platforms) or ("",)):
                release.add(target)
        release.close()
    print((options.folder / "README.md").read_text("utf-8"))
    return int(release.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
