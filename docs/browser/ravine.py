"""A check of the animated ravines: they play, pause, and can be walked through by keys."""

from pathlib import Path
from typing import Any

from looks import listen

FIRST = ".ravine >> nth=0"


def check_ravine(browser: Any, site: Path) -> list[str]:
    """Use the page as a visitor would, with and without motion, and return the faults."""
    faults = []
    for motion, check in (("no-preference", _plays), ("reduce", _waits)):
        page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion=motion)
        faults += listen(page)
        page.goto((site / "ravine.html").as_uri())
        page.locator(FIRST).scroll_into_view_if_needed()
        faults += check(page)
    browser.close()
    return [f"ravine: {fault}" for fault in faults]


def _plays(page: Any) -> list[str]:
    """Expect that it plays when it is seen, and that its button pauses it."""
    picture = page.locator(FIRST)
    button = picture.locator("[name=play]")
    page.locator(f"{FIRST} >> .drawing >> nth=0").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    if button.inner_text() != "Pause":
        return [f"it does not play when it is seen, its button says {button.inner_text()}"]
    button.click()
    before = _step(picture)
    page.wait_for_timeout(500)
    return [] if _step(picture) == before else ["it goes on after a pause"]


def _waits(page: Any) -> list[str]:
    """Expect the whole paths first, then one step for each key, and nothing of an optimizer that is hidden."""
    picture = page.locator(FIRST)
    whole = _points(picture)
    page.wait_for_timeout(500)
    faults = [] if _points(picture) == whole else ["it plays for a visitor who wants no motion"]
    picture.locator("[type=range]").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    picture.locator("[name=next]").click()
    if (_step(picture), _points(picture)) != (2, 3):
        faults.append(f"expected step 2 and 3 points, got {_step(picture)} and {_points(picture)}")
    picture.locator("[type=checkbox] >> nth=0").uncheck()
    if picture.locator("polyline[data-kind='0'] >> nth=0").is_visible():
        faults.append("a path is still there after its box was cleared")
    return faults


def _step(picture: Any) -> int:
    return int(picture.locator("[type=range]").input_value())


def _points(picture: Any) -> int:
    return len(picture.locator("polyline[data-kind='0'] >> nth=0").get_attribute("points").split())
