"""JSON of unknown origin: what the standard library lets pass is refused, and errors stay short."""

from __future__ import annotations

import json
import reprlib
from typing import Any

LONGEST = 1000  # characters of a message
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200


def parse(text: str | bytes) -> Any:
    """Return the data of a text of JSON.

    Raises
    ------
    ValueError
        If the text is not JSON in UTF-8, is nested too deeply, has two entries of one name in an object, or NaN or
        Infinity.
    """
    try:
        plain = text.decode() if isinstance(text, bytes) else text
        return json.loads(plain, object_pairs_hook=_without_twins, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON in UTF-8: {error}") from error


def words(value: Any) -> str:
    """Return data in words for an error message, shortened where they are long."""
    return _SHORT.repr(value)


def shortened(error: object) -> str:
    """Return the message of an error, without its end if somebody has made it long."""
    text = str(error)
    return text if len(text) < LONGEST else f"{text[:LONGEST]} ..."


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, in which a second entry would hide the first of its name."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{words(name)} stands there twice")
        found[name] = value
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
