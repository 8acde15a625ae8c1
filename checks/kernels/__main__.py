"""Tests the kernels without Python: ``python -m checks.kernels``.

NumPy's trainings are written to a file. A small C++ program repeats them with the kernels of each instruction set. Each
compiler that is installed builds it, for every processor that this machine can run or emulate.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from checks.kernels.targets import Target, all_targets
from checks.kernels.vectors import write

SOURCE = Path(__file__).resolve().parents[2] / "packages" / "minidl-native" / "engine" / "check"


def build(target: Target, optimize: str, folder: Path) -> str:
    """Build the program; return its path."""
    setting = f"-DMINIDL_OPTIMIZE={optimize}"
    configure = ["cmake", "-S", str(SOURCE), "-B", str(folder), "-G", "Ninja", setting, *target.compiler]
    for command in (configure, ["cmake", "--build", str(folder)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own source
        if done.returncode:
            sys.exit(f"{target.name} was not built:\n{done.stdout}{done.stderr}")
    return next(str(path) for path in folder.glob("kernel_check*") if path.suffix in ("", ".wasm", ".exe"))


def check(target: Target, optimize: str, trainings: Path, folder: Path, *, verbose: bool) -> str:
    """Build and run the program for a target, and print what it says; return how that went."""
    if missing := target.missing():
        print(f"== {target.name}: skipped, not installed: {', '.join(missing)}")
        return "skipped"
    print(f"== {target.name}", flush=True)
    command = [*target.runner, build(target, optimize, folder), str(trainings)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - what was built
    print(
        *(line for line in done.stdout.splitlines() if verbose or not line.startswith("passed")), sep="\n", flush=True
    )
    return "failed" if done.returncode else "passed"


def main(arguments: Sequence[str]) -> int:
    """Return 1 if a training fails anywhere, or nothing could be run."""
    parser = argparse.ArgumentParser(prog="python -m checks.kernels", description=__doc__)
    parser.add_argument("names", nargs="*", help="targets whose names begin so; without any, all")
    parser.add_argument("--optimize", default="-O3", help="the compilers' option, -O3 unless given")
    parser.add_argument("--folder", type=Path, help="where to leave the trainings and the programs")
    parser.add_argument("--verbose", action="store_true", help="print a line for each training that passes, too")
    options = parser.parse_args(arguments)
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        trainings = folder / "trainings.txt"
        print(f"{write(trainings)} trainings by NumPy")
        for i, target in enumerate(all_targets()):
            if target.name.startswith(tuple(options.names) or ("",)):
                place = folder / f"target {i}"
                ends[check(target, options.optimize, trainings, place, verbose=options.verbose)] += 1
    print(", ".join(f"{ends[word]} {word}" for word in ("passed", "failed", "skipped")))
    return int(ends["failed"] > 0 or not ends["passed"])


if __name__ == "__main__":
    os.environ.pop("CXX", None)  # CMake would take it even where a toolchain names another compiler
    sys.exit(main(sys.argv[1:]))
