"""Words of messages."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Sequence

# With signs of currencies and per cent, separators of thousands, and decimal commas.
_LIKE_NUMBERS = re.compile(r"[$€£¥]?\s*[+-]?\d[\d.,'\s]*[%$€£¥]?")
_NUMBER = re.compile(r"[+-]?\d+\.?\d*")
# 2024-01-31 and 31.1.2024, with other signs between the parts, and perhaps a time behind them.
_DATES = re.compile(r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3(\d{4}|\d{2}))([T ]\d.*)?")
_WORD = re.compile(r"[\w.-]+")


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


def asked(option: str, names: Sequence[str], most: int = 5) -> str:
    """Return an option once for each name, as a shell takes it: ``--drop day --drop "name of pupil"``."""
    each = [f"{option}{'=' if name.startswith('-') else ' '}{_quoted(name)}" for name in names[:most]]
    return " ".join([*each, *["..."] * (len(names) > most)])


def _quoted(name: str) -> str:
    """Return a name as a shell takes it, in double quotes where they keep all of it as it is."""
    if _WORD.fullmatch(name):
        return name
    return shlex.quote(name) if re.search(r'["$`\\!]', name) else f'"{name}"'


def why_text(texts: Sequence[str]) -> str:
    """Return what to do about texts that were perhaps meant as something else, dates or numbers; else an empty text."""
    dates = [text for text in texts if _DATES.fullmatch(text)]
    if 2 * len(dates) > len(texts):
        return f"{dates[0]!r} is a date: write dates as numbers, such as days since the first"
    text = number_like(texts)
    return f"{text!r} is no number: write numbers without signs and separators" if text else ""


def number_like(texts: Sequence[str]) -> str:
    """Return the first of some texts that is no number but looks like one, if most of them do; else an empty text."""
    alike = [text for text in texts if _LIKE_NUMBERS.fullmatch(text)]
    written = [text for text in alike if not _NUMBER.fullmatch(text)]
    return written[0] if written and 2 * len(alike) > len(texts) else ""


def shortened(name: str, most: int = 16) -> str:
    """Return a name, of a long one the beginning, without signs that matplotlib reads as mathematics."""
    return _plain(name if len(name) <= most else f"{name[: most - 1]}…")


def all_shortened(names: Sequence[str], most: int = 16) -> list[str]:
    """Return names as `shortened` does, or by their ends where the beginnings of different names are the same."""
    found = [shortened(name, most) for name in names]
    if len(set(found)) == len(set(names)):
        return found
    return [_plain(name if len(name) <= most else f"…{name[1 - most :]}") for name in names]


def _plain(text: str) -> str:
    return text.replace("$", r"\$")
