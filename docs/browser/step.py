"""A check of the page of one training step: keys and buttons walk through it, and numbers can be changed."""

from pathlib import Path
from typing import Any

from looks import listen


def check_step(browser: Any, site: Path) -> list[str]:
    """Use the page as a visitor would, and return the faults."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    heard = listen(page)
    page.goto((site / "step" / "index.html").as_uri())
    faults = [fault for check in (_walks, _changes, _goes_on, _fits) for fault in check(page)]
    browser.close()
    return [f"step: {fault}" for fault in faults + heard]


def _expect(page: Any, selector: str, words: str) -> list[str]:
    text = page.inner_text(selector)
    return [] if words in text else [f"expected {words!r} in {selector}, got {text!r}"]


def _walks(page: Any) -> list[str]:
    page.click("#next")
    faults = _expect(page, "#step-title", "Sum of hidden unit 1")
    page.keyboard.press("ArrowRight")
    faults += _expect(page, "#count", "2 of 24") + _expect(page, "#said", "Sum of hidden unit 2")
    page.keyboard.press("ArrowLeft")
    page.click("#phases >> text=Backward")
    return faults + _expect(page, "#chain", "local derivative") + _expect(page, "mark", "return diff")


def _changes(page: Any) -> list[str]:
    page.fill("[name=y]", "3")
    faults = _expect(page, "#formulas", "3)")
    page.fill("[name=y]", "")
    if page.get_attribute("[name=y]", "aria-invalid") != "true":
        faults.append("expected an empty field to be invalid")
    page.check("[name=dropout]")
    page.wait_for_timeout(500)  # the address follows after a moment
    return faults + [f"expected {part} in {page.url}" for part in ("y=3", "dropout=10") if part not in page.url]


def _goes_on(page: Any) -> list[str]:
    page.select_option("[name=optimizer]", "Adam")
    page.click("#again")
    page.wait_for_timeout(500)  # as above
    url = page.url
    page.reload()
    value = page.input_value("[name=u1]")
    faults = [] if value == "0.6" else [f"expected u1 to be larger by the learning rate, got {value} from {url}"]
    page.click("#reset")
    return faults + ([] if page.input_value("[name=u1]") == "0.5" else ["reset does not restore the numbers"])


def _fits(page: Any) -> list[str]:
    faults = []
    for _ in range(int(page.get_attribute("#at", "max"))):
        page.click("#next")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > page.viewport_size["width"]:
            faults.append(f"overflow: {width} wide at {page.inner_text('#count')}")
    return faults
