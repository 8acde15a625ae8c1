"""Print the lines of every file and of its longest function; fail where one is too long without a reason.

A file counts with all its lines, a function without its docstring, which may be as long as the mathematics needs. The
reasons stand in pyproject.toml under `[tool.minidl.size]`; one that is not needed any more is a failure too.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

LONGEST_FUNCTION, LONGEST_FILE = 40, 300


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and lines of every function of a file, the docstring left out."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, _lines(node) - (_lines(node.body[0]) if ast.get_docstring(node) else 0)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def measure(paths: list[Path]) -> dict[str, tuple[int, int]]:
    """Print a table of the files; return what is too long: name, lines and how many it may have."""
    print(f"{'lines':>5}  {'longest function':<56} file")
    over = {}
    for path in paths:
        lines = len(path.read_text("utf-8").splitlines())
        each = sorted(functions(path), key=lambda function: function[1], reverse=True)
        longest = f"{each[0][1]:>3} {each[0][0]}" if each else ""
        print(f"{lines:>5}  {longest:<56} {path}")
        if lines > LONGEST_FILE:
            over[str(path)] = lines, LONGEST_FILE
        over |= {f"{path}::{name}": (count, LONGEST_FUNCTION) for name, count in each if count > LONGEST_FUNCTION}
    return over


def main(names: list[str]) -> int:
    """Return 1 if something is too long without a reason, or has a reason without being too long."""
    reasons = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["minidl"]["size"]
    paths = [Path(name) for name in names]
    over = measure(paths)
    seen = {name for name in reasons if Path(name.partition("::")[0]) in paths}
    for name in sorted(over.keys() & seen):
        print(f"{name}: {over[name][0]} lines, because {reasons[name]}")
    for name in sorted(over.keys() - seen):
        print(
            f"{name}: {over[name][0]} lines are more than {over[name][1]}: split it, or give a reason in pyproject.toml"
        )
    for name in sorted(seen - over.keys()):
        print(f"{name}: it is short enough, so take its reason out of pyproject.toml")
    return int(over.keys() != seen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
