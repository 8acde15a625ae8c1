"""The kernels repeat NumPy's trainings in a program without Python, and that program finds a number that is off."""

import platform
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPILERS = {"g++": "GCC", "clang++": "Clang"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "checks" / "kernels").is_dir(), reason="needs the repository"),
    pytest.mark.skipif(not all(map(shutil.which, ("cmake", "ninja"))), reason="cmake or ninja is not installed"),
]


def repeat(folder, target):
    command = [sys.executable, "-m", "checks.kernels", "--optimize=-O1", f"--folder={folder}", "--verbose", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="module")
def lines(folder):
    compiler = next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        pytest.skip("neither GCC nor Clang is installed")
    return repeat(folder, f"{platform.machine()}, {COMPILERS[compiler]}")


def test_every_instruction_set_of_this_processor_repeats_every_training(lines, folder):
    count = (folder / "trainings.txt").read_text("utf-8").count("\ntraining ") + 1
    closing = [line for line in lines if line.endswith(" 0 failed")]
    assert closing[0] == f"baseline: {count} passed, 0 failed"
    assert len([line for line in lines if line.startswith("passed  ")]) == count * len(closing)


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("entry", "value"),
    [(name, 7) for name in ("values_after", "loss_after", "prediction", "values_stepped")] + [("draws_1_0", 2**32 - 1)],
)
def test_a_number_that_is_off_is_found(folder, entry, value):
    first = re.search(
        rf"training [^\n]*\n(?:(?!end\n)[^\n]*\n)*?(?:reals|ints) {entry} \d+ [^\n]*\n", trainings(folder)
    )
    changed = folder / "changed.txt"
    text = first[0].rstrip("\n")
    changed.write_text(f"{text[: text.rindex(' ')]} {value}\n{trainings(folder)[first.end() :]}", "utf-8")
    (program,) = folder.glob("target */kernel_check")
    done = subprocess.run([program, changed], capture_output=True, text=True, check=False)  # noqa: S603 - as above
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].startswith("FAILED  ")
    assert re.search(r"^baseline: \d+ passed, 1 failed$", done.stdout, re.MULTILINE)


def trainings(folder):
    return (folder / "trainings.txt").read_text("utf-8")


@pytest.mark.skipif(not (shutil.which("node") and find_spec("ziglang")), reason="node or ziglang is not installed")
def test_webassembly_repeats_every_training(folder):
    assert repeat(folder, "wasm32")[-1] == "1 passed, 0 failed, 0 skipped"
