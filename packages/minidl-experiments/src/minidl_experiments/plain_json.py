"""Output of results as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any


def write_json(content: Any, path: Path) -> Path:
    """Write dicts, lists and numbers as JSON; nan and infinity, which JSON lacks, become null.

    Parameters
    ----------
    content : dict, list or number
    path : pathlib.Path

    Returns
    -------
    pathlib.Path
        `path`.
    """
    path.write_text(as_json(content), encoding="utf-8")
    return path


def as_json(content: Any) -> str:
    """Return dicts, lists and numbers as JSON; nan and infinity become null."""
    return json.dumps(_finite(content), indent=2, allow_nan=False) + "\n"


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
