"""The pages on own data: their commands run, and print what stands there, up to the numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

DOCS = Path(__file__).parents[4] / "docs"
BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")


def without_numbers(text):
    """Return lines of text without what depends on the machine: numbers, and the widths of tables that they make."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("dead units")]
    masked = [re.sub(r"(?<![\w])-?\d+(\.\d+)?(e[+-]?\d+)?(?![\w])", "#", line) for line in lines]
    return [re.sub(r"[\s─]+", " ", line).strip() for line in masked]


def check(run, page):
    """Run everything on a page, from top to bottom; return how many outputs were compared and what its code defines."""
    shown, names = 0, {}
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            command, _, expected = text.removeprefix("$ ").partition("\n")
            shown += compare(run, command, expected)
        elif found := FILE.match(text):
            Path(found[1]).write_text(text, encoding="utf-8")
        else:
            exec(text, names)  # noqa: S102 - of this repository
    return shown, names


def compare(run, command, expected):
    """Run a command, and compare what it prints; return whether there was something to compare."""
    if command.startswith("python "):
        subprocess.run([sys.executable, *command.split()[1:]], check=True)  # noqa: S603 - of this repository
    elif command.startswith("head -3 "):
        lines = Path(command.split()[-1]).read_text(encoding="utf-8").splitlines()[:3]
        assert [line.count(",") for line in lines] == [line.count(",") for line in expected.splitlines()]
        assert lines[0] == expected.splitlines()[0]
    elif command.startswith("minidl "):
        result = run(*command.replace('"', "").split()[1:])
        output = result.stdout if result.exit_code == 0 else result.stderr
        assert (result.exit_code == 2) == expected.startswith("minidl: "), result.output
        if expected:
            assert without_numbers(output) == without_numbers(expected)
            return True
    return False


@pytest.mark.slow
@pytest.mark.skipif(not DOCS.is_dir(), reason="the page is in the repository alone")
def test_from_a_csv_to_a_deployed_model(run):
    pytest.importorskip("sklearn")
    runtime = pytest.importorskip("onnxruntime")
    shown, names = check(run, DOCS / "from_csv.md")
    assert shown >= 6
    assert names["probabilities"].shape == (28, 3)
    assert isinstance(names["session"], runtime.InferenceSession)


@pytest.mark.slow
@pytest.mark.skipif(not DOCS.is_dir(), reason="the page is in the repository alone")
def test_good_settings_and_many_rows(run, capsys):
    for name in ("sklearn", "optuna", "pyarrow"):
        pytest.importorskip(name)
    shown, names = check(run, DOCS / "good_settings.md")
    assert shown == 3
    assert len(names["results"]) == 4
    assert "log_loss_error" in capsys.readouterr().out
    assert len(pd.read_csv("random/results.csv")) == 6
