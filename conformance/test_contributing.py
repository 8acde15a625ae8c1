"""CONTRIBUTING.md, followed to the letter: its worked examples are written into a copy, where its tests pass."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CORE, NATIVE = Path("packages/minidl-core"), Path("packages/minidl-native")
TABLE = Path("docs/conformance/table.json")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "_build", Path(__file__).name)
# What each example is allowed to touch beside the file of the new kind and the page that shows it.
EXAMPLES = {
    "Adding a layer": ("src/minidl/layers/rmsnorm.py", "docs/reference/modules.md"),
    "Adding an activation that the engine knows": ("src/minidl/layers/activations.py", "docs/reference/modules.md"),
}
# Words in front of a block: "A new file `PATH`:", or "In `PATH`, after `LINE`:". Below a line is behind its empty line.
BLOCK = re.compile(
    r"(?:new file\s+`(?P<new>[^`]+)`"
    r"|(?:[Ii]n\s+`(?P<old>[^`]+)`|in the same file),\s+(?P<how>after|below|before|instead of)\s+`(?P<line>[^`]+)`):"
    r"\n\n```\w+\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def section(title):
    """Return a section of the guide."""
    return GUIDE[GUIDE.index(f"## {title}\n") :].partition("\n## ")[0]


def copy_of_repository(place):
    """Copy what the examples are added to, and what their tests read."""
    for folder in (CORE, NATIVE, "conformance", "benchmarks", "docs/reference", "docs/conformance"):
        shutil.copytree(ROOT / folder, place / folder, ignore=LEFT_OUT)
    for file in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, place / file)


def insert(lines, block):
    """Put the text of a block where its words say."""
    found = next(i for i, line in enumerate(lines) if line.strip().startswith(block["line"]))
    first = found + {"after": 1, "below": 2, "before": 0, "instead of": 0}[block["how"]]
    lines[first : first + (block["how"] == "instead of")] = [block["text"]]


def follow(title, place):
    """Write every block of a section where its words say; return the files."""
    written = []
    for block in BLOCK.finditer(section(title)):
        path = Path(block["new"] or block["old"] or written[-1])
        if block["new"]:
            assert not (place / path).exists(), f"{path} is no new file"
            (place / path).write_text(block["text"], "utf-8")
        else:
            lines = (place / path).read_text("utf-8").splitlines(keepends=True)
            insert(lines, block)
            (place / path).write_text("".join(lines), "utf-8")
        written.append(path)
    return written


def has_compiler():
    return shutil.which(os.environ.get("CXX", "c++").split()[0]) and find_spec("scikit_build_core")


def run(place, *command):
    """Run a command in the copy, whose packages go before the installed ones, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place / CORE / "src"), str(place / "built")])}
    done = subprocess.run(  # noqa: S603 - a command of our own
        [sys.executable, "-m", *command], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


SPREAD = "--numprocesses=auto", "--dist=worksteal"


def passes(place, *args):
    """Run pytest in the copy."""
    return run(
        place, "pytest", "--config-file=pyproject.toml", "--rootdir=.", "-p", "no:cacheprovider", *map(str, args)
    )


def add_rows(table, more):
    """Add the rows of another table, since a run of everything would write those of the other kinds again."""
    whole, rows = (json.loads(path.read_text("utf-8")) for path in (table, more))
    whole["rows"] = sorted(whole["rows"] + rows["rows"], key=lambda row: (row["case"], row["dtype"]))
    table.write_text(json.dumps(whole), "utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a copy in which both examples are followed, its engine built and its table grown by their rows."""
    if not has_compiler():
        pytest.skip("the second example needs a C++ compiler and scikit-build-core")
    place = tmp_path_factory.mktemp("clone")
    copy_of_repository(place)
    for title in EXAMPLES:
        follow(title, place)
    built = ["--no-deps", "--no-build-isolation", f"--target={place / 'built'}", str(NATIVE)]
    built += ["--config-settings=cmake.define.MINIDL_OPTIMIZE=-O1"]  # for a few small trainings
    run(place, "pip", "install", "--quiet", *built)
    own = passes(place, "conformance", "-k", "RMSNorm or Softsign", "--table=own.json", *SPREAD)
    (place / "table.txt").write_text(own, "utf-8")
    add_rows(place / TABLE, place / "own.json")
    return place


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_touches_five_files_beside_its_own_file_and_page(title):
    files = {block["new"] or block["old"] for block in BLOCK.finditer(section(title))} - {None}
    own, page = EXAMPLES[title]
    assert {str(CORE / own), page} <= files
    others = files - {str(CORE / own), page} | {str(TABLE)}
    assert len(others) <= 5, sorted(others)


@pytest.mark.parametrize("title", EXAMPLES)
def test_every_block_of_code_is_followed(title):
    text = section(title)
    console = text.count("```console\n")
    assert text.count("\n```") == 2 * (len(BLOCK.findall(text)) + console), "a block that nothing is done with"


# Those that go over all kinds; the others know nothing of a new one.
OVER_KINDS = ["bad_input", "bad_settings", "buffer", "model_files", "package"]
OVER_KINDS += ["probe_layers", "properties", "settings", "spec"]
OVER_KINDS_OF_THE_ENGINE = ["agreement", "border", "functions", "kinds", "package"]


def test_all_tests_that_go_over_kinds_pass(place):
    core = [CORE / "tests" / f"test_{name}.py" for name in OVER_KINDS]
    native = [NATIVE / "tests" / f"test_{name}.py" for name in OVER_KINDS_OF_THE_ENGINE]
    passes(place, *core, *native, "-m", "not slow", *SPREAD)


def test_the_examples_of_the_docstrings_pass(place):
    passes(place, "--doctest-modules", CORE / "src/minidl/layers")


def test_conformance_passes_and_its_table_has_the_new_rows(place):
    printed = (place / "table.txt").read_text("utf-8")
    for row in ("RMSNorm +float64", "Softsign +float64", "Softsign, engine +float64"):
        assert re.search(rf"^{row} ", printed, re.MULTILINE), f"the table has no line for {row}"
    passes(place, "conformance/test_table.py", "conformance/test_entries.py")


def test_the_engine_runs_the_new_activation(place):
    code = "import minidl as m; print(m.summary(m.Sequential([m.Linear(2, 3), m.Softsign(), m.Linear(3, 1)])))"
    (place / "ask.py").write_text(code, "utf-8")
    assert run(place, "ask").rstrip().endswith("engine: native")


@pytest.mark.skipif(find_spec("pytest_benchmark") is None, reason="needs pytest-benchmark")
def test_the_benchmark_runs(place):
    assert "2 passed" in passes(place, "benchmarks/test_rmsnorm.py", "--benchmark-disable")


def test_the_pages_have_their_lines(place):
    page = (place / "docs/reference/modules.md").read_text("utf-8")
    assert "\n\n.. autoclass:: minidl.Softsign\n\n.. autoclass:: minidl.RMSNorm\n\n" in page
    text = (place / CORE / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"### Added\n\n- `Softsign`.*\n- `RMSNorm`: .*\n", text)


def test_pre_commit_takes_the_tools_of_the_lint_session():
    group = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["lint"]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r'additional_dependencies: \["(.*?)"\]', hooks)) == set(group)
