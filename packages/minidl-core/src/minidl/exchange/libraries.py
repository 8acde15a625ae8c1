"""The libraries of other formats, imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def library(who: str, name: str) -> Any:
    """Import a library and return it.

    Raises
    ------
    ImportError
        That says what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        extra = f"pip install 'minidl-core[{name}]'" if name == "onnx" else f"pip install {name}"
        raise ImportError(f"{who}: {name} is not installed: {extra}") from error
