"""Check every page of the built site in a browser, and take screenshots."""

import sys
from pathlib import Path

from copying import check_copying
from links import check_links
from looks import LOOKS, Look, look_at
from playground import check_playground
from playwright.sync_api import sync_playwright
from program import find_chromium, launch
from ravine import check_ravine
from search import check_search
from step import check_step

BUILD = Path(__file__).parents[1] / "_build"
SITE, PICTURES = BUILD / "html", BUILD / "screenshots"


def main(names: list[str]) -> int:
    """Take the screenshots, print the faults, and return their number."""
    pages = sorted(SITE.rglob("*.html"))
    if not pages:
        sys.exit(f"screenshots: there is no site in {SITE}: build it first, with nox -s docs")
    executable = find_chromium()
    if executable is None:
        sys.exit("screenshots: Chromium is not installed, or not on the PATH: no page was checked")
    faults = check_links(SITE, pages)
    chosen = [page for page in pages if not names or page.relative_to(SITE).with_suffix("").as_posix() in names]
    with sync_playwright() as playwright:
        for look in LOOKS:
            faults += _look_at_all(launch(playwright, executable), chosen, look)
        faults += check_search(launch(playwright, executable), SITE)
        faults += check_copying(launch(playwright, executable), SITE)
        faults += check_playground(launch(playwright, executable), SITE)
        faults += check_step(launch(playwright, executable), SITE)
        faults += check_ravine(launch(playwright, executable), SITE)
    _say(f"{len(chosen)} pages, {len(LOOKS)} looks each, in {PICTURES}", *faults, f"{len(faults)} faults")
    return len(faults)


def _look_at_all(browser: object, pages: list[Path], look: Look) -> list[str]:
    context = look.context(browser)
    faults = []
    for page in pages:
        name = page.relative_to(SITE).with_suffix("")
        found = look_at(context, page, PICTURES / look.name / name.with_suffix(".png"))
        faults += [f"{name} ({look.name}): {fault}" for fault in found]
    browser.close()
    return faults


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
