"""Words of messages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def near(name: str, names: Sequence[str]) -> str:
    """Return a question that names the most similar names, such as ``; did you mean 'age'?``; empty if there are none.

    Parameters
    ----------
    name : str
    names : sequence of str
    """
    lower = {other.lower(): other for other in names}
    found = [lower[key] for key in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names as text, of many the first ones."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 row``, ``3 rows``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def shortened(name: str, most: int = 16) -> str:
    """Return a name, of a long one the beginning, without signs that matplotlib reads as mathematics."""
    plain = name.replace("$", r"\$")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
