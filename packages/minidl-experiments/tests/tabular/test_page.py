"""The page "From a CSV to a deployed model": its commands run, and print what stands there, up to the numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "from_csv.md"
BLOCK = re.compile(r"```console\n\$ ([^\n]+)\n(.*?)```", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
FILE = "# make_tables.py\n"


def without_numbers(text):
    """Return lines of text without what depends on the machine: numbers, and the widths of tables that they make."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("dead units")]
    masked = [re.sub(r"(?<![\w])-?\d+(\.\d+)?(e[+-]?\d+)?(?![\w])", "#", line) for line in lines]
    return [re.sub(r"[\s─]+", " ", line).strip() for line in masked]


@pytest.mark.slow
@pytest.mark.skipif(not PAGE.is_file(), reason="the page is in the repository alone")
def test_the_page_is_true(run, tmp_path):
    pytest.importorskip("sklearn")
    runtime = pytest.importorskip("onnxruntime")
    page = PAGE.read_text(encoding="utf-8")
    making, using = CODE.findall(page)
    assert making.startswith(FILE)
    (tmp_path / "make_tables.py").write_text(making, encoding="utf-8")
    shown = 0
    for command, expected in BLOCK.findall(page):
        if command.startswith("python "):
            subprocess.run([sys.executable, *command.split()[1:]], check=True)  # noqa: S603 - of this repository
        elif command.startswith("head -3 "):
            lines = Path(command.split()[-1]).read_text(encoding="utf-8").splitlines()[:3]
            assert [line.count(",") for line in lines] == [line.count(",") for line in expected.splitlines()]
            assert lines[0] == expected.splitlines()[0]
        elif command.startswith("minidl "):
            result = run(*command.replace('"', "").split()[1:])
            output = result.stdout if result.exit_code == 0 else result.stderr
            if expected:
                assert without_numbers(output) == without_numbers(expected)
                shown += 1
            assert (result.exit_code == 2) == expected.startswith("minidl: ")
    assert shown >= 6
    names = {}
    exec(using, names)  # noqa: S102 - of this repository
    assert names["probabilities"].shape == (28, 3)
    assert isinstance(names["session"], runtime.InferenceSession)
