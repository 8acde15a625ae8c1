"""The browser itself."""

import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def find_chromium() -> str | None:
    """Return where Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Any, executable: str) -> Any:
    """Start it, without a window, with a profile of its own; it shows local files alone, and so needs no sandbox."""
    return playwright.chromium.launch(executable_path=executable, args=list(FLAGS), chromium_sandbox=False)
