"""Runs what wheels of this machine's system can show, and what an emulator can."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from checks.release.build import BuildError, run
from checks.release.targets import Target

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "packages" / "minidl-native" / "tests"
# Under an emulator, where the whole suite would take an hour: the package, all losses, optimizers, widths and layers.
# The Python that one of the tests starts does not run there.
FEW = ("test_package.py", "test_training.py")
BUT = ("-k", "not importing_needs_numpy")
TOOLS = ("pytest", "hypothesis")
QUIET = ("-q", "-p", "no:cacheprovider", "-m", "not slow", "--import-mode=importlib")
ARM_PACKAGES = ("python3.11", "libstdc++6")


def prove(target: Target, wheel: Path, core: Path, folder: Path) -> str:
    """Install a wheel where it can run, and run its tests; return what was run, or why nothing was."""
    if not target.platform.startswith("manylinux"):
        return f"not run: no Python for {target.platform} is at hand"
    tests = folder / "minidl-native" / "tests"
    shutil.copytree(TESTS, tests)
    shutil.copy(TESTS.parent / "README.md", tests.parent)
    if target.processor == platform.machine() and sys.platform == "linux":
        return _in_an_empty_environment(wheel, core, tests, folder)
    if target.processor != "aarch64":
        return f"not run: no emulator of {target.processor} is known here"
    return _under_an_emulator(wheel, core, tests, folder)


def _in_an_empty_environment(wheel: Path, core: Path, tests: Path, folder: Path) -> str:
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, core, *TOOLS, "pytest-xdist")
    return f"{_last(run(python, '-m', 'pytest', *QUIET, '-n', '2', tests))}: all tests, in an empty environment"


def _under_an_emulator(wheel: Path, core: Path, tests: Path, folder: Path) -> str:
    qemu = next(filter(None, map(shutil.which, ("qemu-aarch64-static", "qemu-aarch64"))), None)
    if not (qemu and shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return "not run: needs qemu-user, and apt for a Python of aarch64"
    root, site = _python_of_debian(folder), folder / "site"
    given = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 27, 28)]
    options = ["--quiet", "--target", str(site), *given, "--python-version=3.11", "--only-binary=:all:"]
    run(sys.executable, "-m", "pip", "install", *options, wheel, core, *TOOLS)
    files = [str(tests / name) for name in FEW]
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [qemu, "-L", str(root), str(root / "usr/bin/python3.11"), "-m", "pytest", *QUIET, *BUT, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - our tests
    if done.returncode:
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
        raise BuildError("; ".join([*failed, _last(done.stdout + done.stderr)]))
    return f"{_last(done.stdout)}: {' and '.join(FEW)}, with Debian's Python under qemu-user"


def _python_of_debian(folder: Path) -> Path:
    """Unpack Debian's Python for aarch64; return the root of its files. Nothing is installed on this machine."""
    state, root = folder / "apt", folder / "root"
    for place in ("state/lists/partial", "cache/archives/partial"):
        (state / place).mkdir(parents=True)
    (state / "status").touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "Dir::State": state / "state",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", *options, "update", "-qq")
    run("apt-get", *options, "install", "--yes", "--download-only", "--no-install-recommends", *ARM_PACKAGES)
    for package in (state / "cache" / "archives").glob("*.deb"):
        run("dpkg-deb", "-x", package, root)
    return root


def faults(target: Target, wheel: Path) -> list[str]:
    """Return what tools for wheels find wrong: auditwheel with what a library needs, abi3audit with the stable ABI."""
    wrong = []
    if target.form == "ELF":
        shown = " ".join(run(sys.executable, "-m", "auditwheel", "show", wheel).split())
        tag = re.search(r'platform tag: "(\w+)"', shown)
        if not tag or not _is_as_old(tag[1], target.platform):
            wrong.append(f"auditwheel does not find it consistent with {target.platform}: {shown}")
    try:
        run(sys.executable, "-m", "abi3audit", "--strict", wheel)
    except BuildError as error:
        wrong.append(f"abi3audit: {error}")
    return wrong


def _is_as_old(tag: str, other: str) -> bool:
    """Whether a platform's tag, such as manylinux_2_17_x86_64, is for the same systems as another or for older ones."""
    system, version, processor = _parts(tag)
    same, most, as_well = _parts(other)
    return (system, processor) == (same, as_well) and version <= most


def _parts(tag: str) -> tuple[str, tuple[int, int], str]:
    system, major, minor, processor = tag.split("_", maxsplit=3)
    return system, (int(major), int(minor)), processor


def _last(text: str) -> str:
    lines = text.strip().splitlines() or ["nothing was said"]
    return lines[-1].strip("= ")
