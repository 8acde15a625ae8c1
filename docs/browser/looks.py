"""Screenshots and checks of a page in one window size and colour scheme."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKS = (Path(__file__).parent / "checks.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Look:
    """A window and a colour scheme."""

    name: str
    width: int
    height: int
    scheme: str

    def context(self, browser: Any) -> Any:
        """Open a session of the browser with this window and scheme."""
        size = {"width": self.width, "height": self.height}
        return browser.new_context(viewport=size, color_scheme=self.scheme, reduced_motion="reduce")


LOOKS = (
    Look("desktop-light", 1280, 900, "light"),
    Look("desktop-dark", 1280, 900, "dark"),
    Look("phone-light", 390, 844, "light"),
    Look("phone-dark", 390, 844, "dark"),
)


def look_at(context: Any, path: Path, picture: Path) -> list[str]:
    """Take a screenshot of a whole page, and return its faults."""
    page = context.new_page()
    faults = listen(page)
    page.goto(path.as_uri(), wait_until="load")
    faults += page.evaluate(CHECKS)
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, full_page=True)
    page.close()
    return faults


def listen(page: Any) -> list[str]:
    """Return a list that collects the errors of console, scripts and requests, and requests to the network."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(f"script: {error}"))
    page.on("requestfailed", lambda request: heard.append(f"request failed: {request.url}"))
    page.on("request", lambda request: heard.append(f"network: {request.url}") if _is_far(request.url) else None)
    return heard


def _is_far(url: str) -> bool:
    return not url.startswith(("file:", "data:", "blob:"))
