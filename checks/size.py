"""Print the lines of every file; fail if a file has more than 300 lines and no reason.

The reasons stand in pyproject.toml under `[tool.minidl.size]`. A reason for a shorter file is a failure too. The length
of functions is a matter of ruff: PLR0915 limits their statements, C901 their branches.
"""

import sys
import tomllib
from pathlib import Path

LONGEST = 300


def main(names: list[str]) -> int:
    """Return 1 unless the files with more than `LONGEST` lines are those with a reason."""
    reasons = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["minidl"]["size"]
    failures = []
    for name in names:
        lines, reason = len(Path(name).read_text("utf-8").splitlines()), reasons.get(name, "")
        print(f"{lines:>5}  {name}  {reason}".rstrip())
        if lines > LONGEST and not reason:
            failures.append(
                f"{name}: {lines} lines are more than {LONGEST}: split it, or add a reason to pyproject.toml"
            )
        elif lines <= LONGEST and reason:
            failures.append(f"{name}: {lines} lines need no reason: remove it from pyproject.toml")
    print(*failures, sep="\n")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
