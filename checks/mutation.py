"""Mutate the formulas of core with mutmut, run the tests on each mutant, and fail on a survivor without a reason.

`python checks/mutation.py packages/minidl-core [PATTERN ...]`: patterns select mutants, such as `minidl.optim.*`.
mutmut works on a copy in a temporary folder. A survivor is identified by its function and its changed line, because
mutmut's numbers change with every edit. A whole run also fails on a pattern in mutation.toml that matches no mutant.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).with_suffix(".toml")
# Tests that read the source itself or start other processes.
WITHOUT = ("test_package.py", "test_interruption.py", "test_engine.py")
SURVIVED, NO_TESTS = 0, 33
# One failing example kills a mutant; the search for the smallest one takes many times as long.
NO_SHRINKING = """from hypothesis import Phase, settings
settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutation")
"""


def prepare(core: Path, work: Path, settings: dict[str, Any]) -> None:
    """Write mutmut's folder: the source, the relevant tests and one pyproject.toml."""
    for part in ("src", "tests"):
        shutil.copytree(core / part, work / part, ignore=shutil.ignore_patterns("__pycache__", *WITHOUT))
    shared = work / "tests" / "conftest.py"
    shared.write_text(NO_SHRINKING + shared.read_text("utf-8"), "utf-8")
    ours = {
        "source_paths": ["src"],
        "only_mutate": sorted({source_of(name, work) for name in settings["functions"]}),
        "do_not_mutate_patterns": settings["skip"],
        "pytest_add_cli_args": ["-m", "not slow", "-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": ["tests"],
    }
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in ours.items())
    tools = Path("pyproject.toml").read_text("utf-8")
    (work / "pyproject.toml").write_text(f"{tools}\n[tool.mutmut]\n{lines}\n", "utf-8")


def source_of(pattern: str, work: Path) -> str:
    """Return `src/minidl/optim/adam.py` for `optim.adam.*step`, and the files of a folder for `losses.*forward`."""
    place = "/".join(("src/minidl", *takewhile(lambda part: "*" not in part, pattern.split("."))))
    return f"{place}/*" if (work / place).is_dir() else f"{place}.py"


def mutmut(work: Path, *args: str) -> str:
    """Run mutmut and return its output."""
    command = [sys.executable, "-m", "mutmut", *args]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)  # noqa: S603 - runs mutmut alone
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


def outcomes(work: Path) -> dict[str, int]:
    """Return the tested mutants with the exit status of their tests."""
    found: dict[str, int | None] = {}
    for file in (work / "mutants").rglob("*.meta"):
        found |= json.loads(file.read_text("utf-8"))["exit_code_by_key"]
    return {name: status for name, status in found.items() if status is not None}


def plain(name: str) -> str:
    """Return `optim.adam.Adam.step` for `minidl.optim.adam.xǁAdamǁstep__mutmut_3`."""
    module, _, function = name.partition("__mutmut")[0].removeprefix("minidl.").partition(".x")
    return f"{module}.{re.sub('^_', '', function.strip('ǁ').replace('ǁ', '.'))}"


def change(work: Path, name: str) -> str:
    """Return the changed line of a mutant."""
    lines = mutmut(work, "show", name).splitlines()
    return " ".join(line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++"))


def judge(survivors: set[tuple[str, str]], known: dict[tuple[str, str], str], *, whole: bool) -> int:
    """Print the survivors; return 1 for a survivor without a reason or a reason without a survivor."""
    for function, line in sorted(survivors):
        reason = known.get((function, line))
        print(f"{'survived' if reason is None else 'explained'}: {function}: {line}\n    {reason or 'no reason'}")
    gone = known.keys() - survivors if whole else set()
    for function, line in sorted(gone):
        print(f"killed or gone: remove it from {SETTINGS.name}: {function}: {line}")
    return int(bool(survivors - known.keys() or gone))


def main(core: str, *chosen: str) -> int:
    """Test all mutants, or the selected ones; return 0 if every survivor has a reason."""
    settings = tomllib.loads(SETTINGS.read_text("utf-8"))
    known = {(one["function"], line): one["reason"] for one in settings["survivor"] for line in one["lines"]}
    patterns = chosen or [f"minidl.{name}__mutmut_*" for name in settings["functions"]]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prepare(Path(core), work, settings)
        mutmut(work, "run", *patterns)
        tried = outcomes(work)
        survivors = {(plain(name), change(work, name)) for name, n in tried.items() if n in (SURVIVED, NO_TESTS)}
    print(f"{len(tried)} mutants, {len(tried) - len(survivors)} killed, {len(survivors)} survived")
    empty = [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in tried)]
    for pattern in empty:
        print(f"no mutant: {pattern}")
    return judge(survivors, known, whole=not chosen) or int(bool(empty))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
