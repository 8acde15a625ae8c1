"""CONTRIBUTING.md, followed to the letter: its worked example is written into a copy, and what it says passes."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import minidl

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
SOURCE = Path("packages/minidl-core/src")
TESTS = Path("packages/minidl-core/tests")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", Path(__file__).name)
# Words in front of a block: "A new file `PATH`:", or "In `PATH`, after `LINE`:". Below a line is behind its empty line.
BLOCK = re.compile(
    r"(?:new file\s+`(?P<new>[^`]+)`"
    r"|(?:[Ii]n\s+`(?P<old>[^`]+)`|in the same file),\s+(?P<how>after|below)\s+`(?P<line>[^`]+)`):"
    r"\n\n```\w+\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def copy_of_repository(place):
    """Copy what the example is added to; the package is the one that these tests run on, installed or not."""
    shutil.copytree(Path(minidl.__file__).parent, place / SOURCE / "minidl")
    for folder in ("conformance", "benchmarks", TESTS):
        shutil.copytree(ROOT / folder, place / folder, ignore=LEFT_OUT)
    for file in ("pyproject.toml", "packages/minidl-core/CHANGELOG.md", "docs/reference/modules.md"):
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, place / file)


def follow(guide, place):
    """Write every block of the guide where its words say; return the files."""
    written = []
    for block in BLOCK.finditer(guide):
        path = place / (block["new"] or block["old"] or written[-1])
        if block["new"]:
            assert not path.exists(), f"{path} is no new file"
            path.write_text(block["text"], "utf-8")
        else:
            lines = path.read_text("utf-8").splitlines(keepends=True)
            found = [i for i, line in enumerate(lines, 1) if line.strip().startswith(block["line"])]
            lines.insert(found[0] + (block["how"] == "below"), block["text"])
            path.write_text("".join(lines), "utf-8")
        written.append(path.relative_to(place))
    return written


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("clone")
    copy_of_repository(place)
    follow(GUIDE, place)
    return place


def passes(place, *args):
    """Run pytest in the copy, whose package goes before the installed one, and return what it printed."""
    command = (sys.executable, "-m", "pytest", "--config-file=pyproject.toml", "--rootdir=.", "-p", "no:cacheprovider")
    environment = {**os.environ, "PYTHONPATH": str(place / SOURCE)}
    done = subprocess.run(  # noqa: S603 - our own pytest
        [*command, *args], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


def test_every_step_has_its_blocks():
    steps = re.findall(r"^### \d\. .*", GUIDE, re.MULTILINE)
    assert len(steps) == 4
    files = [block["new"] or block["old"] for block in BLOCK.finditer(GUIDE)]
    assert len(files) == 8
    start, end = GUIDE.index(steps[0]), GUIDE.index("## Reading a parity failure")
    assert GUIDE[start:end].count("\n```") == 2 * len(files), "a block of the example that nothing is done with"


def test_the_module_passes_its_own_tests(place):
    assert "passed" in passes(place, TESTS / "test_rmsnorm.py")


def test_its_example_and_the_tests_of_the_package_pass(place):
    passes(place, "--doctest-modules", SOURCE / "minidl" / "rmsnorm.py")
    passes(place, TESTS / "test_package.py", "-k", "RMSNorm or rmsnorm or public or point")


def test_its_conformance_case_passes(place):
    printed = passes(place, "conformance", "-k", "RMSNorm or entries")
    assert re.search(r"^RMSNorm +float64 ", printed, re.MULTILINE), "the table has no line for it"


@pytest.mark.skipif(find_spec("pytest_benchmark") is None, reason="needs pytest-benchmark")
def test_its_benchmark_runs(place):
    assert "2 passed" in passes(place, "benchmarks/test_rmsnorm.py", "--benchmark-disable")


def test_the_pages_have_their_lines(place):
    assert "\n\n.. autoclass:: minidl.RMSNorm\n\n" in (place / "docs/reference/modules.md").read_text("utf-8")
    text = (place / "packages/minidl-core/CHANGELOG.md").read_text("utf-8")
    assert re.search(r"### Added\n\n- `RMSNorm`: .*\n- ", text)


def test_pre_commit_takes_the_tools_of_the_lint_session():
    group = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["lint"]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r'additional_dependencies: \["(.*?)"\]', hooks)) == set(group)
