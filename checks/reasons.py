"""Fail on a `noqa`, `type: ignore` or `pragma` comment without a reason beside it; ruff has no such rule."""

import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

EXCEPTION = re.compile(r"#\s*(?:ruff:\s*noqa|noqa|type:\s*ignore|pragma:|mypy:)")
WITH_REASON = re.compile(r"(?:noqa: [A-Z0-9, ]+|pragma: no (?:cover|mutate)) - \S|type: ignore\[[a-z-]+\]  # \S")


def unexplained(path: Path) -> Iterator[str]:
    """Yield a message for every exception without a reason."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if (
                token.type == tokenize.COMMENT
                and EXCEPTION.search(token.string)
                and not WITH_REASON.search(token.string)
            ):
                yield f"{path}:{token.start[0]}: no reason beside the exception: {token.string}"


def main(names: list[str]) -> int:
    """Return 1 if any exception has no reason."""
    found = [line for name in names for line in unexplained(Path(name))]
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
