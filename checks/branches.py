"""Print how many branches of each package the tests took, from a report of coverage; fail below 97 %."""

import json
import sys
from pathlib import Path

LEAST = 0.97


def main(report: str) -> int:
    """Return 1 if a package has less than `LEAST` of its branches taken."""
    taken: dict[str, list[int]] = {}
    for name, file in json.loads(Path(report).read_text("utf-8"))["files"].items():
        both = taken.setdefault(Path(name).parent.name, [0, 0])
        both[0] += file["summary"]["covered_branches"]
        both[1] += file["summary"]["num_branches"]
    for package, (covered, branches) in taken.items():
        print(f"{package}: {covered} of {branches} branches, {100 * covered / branches:.1f} %")
    return int(any(covered < LEAST * branches for covered, branches in taken.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
