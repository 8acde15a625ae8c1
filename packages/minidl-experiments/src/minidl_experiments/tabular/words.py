"""Words of messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

# With signs of currencies and per cent, separators of thousands, and decimal commas.
_LIKE_NUMBERS = re.compile(r"[$€£¥]?\s*[+-]?\d[\d.,'\s]*[%$€£¥]?")
_NUMBER = re.compile(r"[+-]?\d+\.?\d*")


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


def number_like(texts: Sequence[str]) -> str:
    """Return the first of some texts that is no number but looks like one, if most of them do; else an empty text."""
    alike = [text for text in texts if _LIKE_NUMBERS.fullmatch(text)]
    written = [text for text in alike if not _NUMBER.fullmatch(text)]
    return written[0] if written and 2 * len(alike) > len(texts) else ""


def shortened(name: str, most: int = 16) -> str:
    """Return a name, of a long one the beginning, without signs that matplotlib reads as mathematics."""
    plain = name.replace("$", r"\$")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
