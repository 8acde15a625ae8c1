"""Finding and starting Chromium."""

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
    """Return the path of Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Any, executable: str) -> Any:
    """Start Chromium without a window and with its own profile; it opens only local files, so it needs no sandbox."""
    return playwright.chromium.launch(executable_path=executable, args=list(FLAGS), chromium_sandbox=False)
