"""Fail below 97 % of branches covered: coverage's own `--fail-under` counts lines and branches together."""

import json
import sys
from pathlib import Path

LEAST = 97


def main(report: str) -> int:
    """Print the covered branches of a JSON report of coverage; return 1 below `LEAST` percent."""
    totals = json.loads(Path(report).read_text("utf-8"))["totals"]
    percent = 100 * totals["covered_branches"] / totals["num_branches"]
    print(f"{totals['covered_branches']} of {totals['num_branches']} branches, {percent:.1f} %")
    return int(percent < LEAST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
