"""A check of the playground, opened as a file: it trains, takes points of one's own, and gives its results away."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from looks import listen

TABLE = "x1;x2;kind\n1.5;2;a\n2;2.5;a\n1.8;3;a\n-1;0.5;b\n-2;0;b\n-1.5;1;b\n-1.2;0.1;b\n1.4;2.2;a\n"
# Frames of the screen in two seconds, as the page itself sees them.
FRAMES = """() => new Promise((done) => {
  const start = performance.now();
  let frames = 0;
  const count = () => {
    frames += 1;
    if (performance.now() - start < 2000) requestAnimationFrame(count);
    else done(Math.round((1000 * frames) / (performance.now() - start)));
  };
  requestAnimationFrame(count);
})"""


def check_playground(browser: Any, site: Path) -> list[str]:
    """Use the page as a visitor would, and return the faults."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    heard = listen(page)
    page.goto((site / "playground" / "index.html").as_uri())
    if not page.locator("#run").count():
        return ["playground: not built, because ziglang was not installed"]
    faults = [
        fault
        for check in (_trains, _goes_on, _reads_a_table, _opens, _draws, _exports, _reports, _diverges)
        for fault in check(page)
    ]
    faults += _fits(page)
    browser.close()
    return [f"playground: {fault}" for fault in faults + heard]


def _epoch(page: Any) -> int:
    return int(page.inner_text("#epoch").split()[0])


def _wait(page: Any, condition: str) -> list[str]:
    try:
        page.wait_for_function(condition, timeout=20_000)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of the page
        return [f"{condition}: {str(error).splitlines()[0]}"]
    return []


def _trains(page: Any) -> list[str]:
    page.click("#run")
    frames = page.evaluate(FRAMES)
    sys.stdout.write(f"playground: {frames} frames per second while it trains, epoch {_epoch(page)}\n")
    faults = _wait(page, "() => parseInt(document.getElementById('accuracy').textContent) > 90")
    page.click("#run")
    return faults


def _goes_on(page: Any) -> list[str]:
    """Expect that it goes on drawing after there was no room to draw in, as where a frame around it is closed."""
    page.click("#reset")
    show = "(display) => { document.querySelector('main').style.display = display; }"
    page.evaluate(show, "none")
    page.click("#step")
    page.wait_for_timeout(500)
    page.evaluate(show, "")
    page.click("#step")
    return _wait(page, "() => document.getElementById('epoch').textContent.startsWith('2 ')")


def _reads_a_table(page: Any) -> list[str]:
    page.select_option("[name=data]", "own")
    page.fill("#table", TABLE)
    page.click("#use-table")
    page.click("#step")
    faults = _wait(page, "() => document.getElementById('epoch').textContent.startsWith('1 ')")
    if "class 0, a (rings)" not in page.inner_text("#output-legend"):
        faults.append(f"expected the names of the classes, got {page.inner_text('#output-legend')}")
    page.wait_for_timeout(500)  # the address follows the points after a moment
    if "class=a&class=b" not in page.url:
        faults.append(f"expected the names of the classes in the address, got {page.url}")
    page.fill("#table", "1,2,3,4\n" * 5)
    page.click("#use-table")
    return faults + _wait(page, "() => document.getElementById('fault').textContent.includes('columns')")


def _opens(page: Any) -> list[str]:
    """Open a file, and again after it was changed."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "own.csv")
        for name in ("cat", "dog"):
            file.write_text(TABLE.replace("a\n", f"{name}\n"), encoding="utf-8")
            page.set_input_files("#file", file)
            words = f"'{name} (disks)'"
            faults += _wait(page, f"() => document.getElementById('output-legend').textContent.includes({words})")
    return faults


def _draws(page: Any) -> list[str]:
    page.wait_for_timeout(500)  # the address follows the points after a moment
    before = page.url.count("_")
    box = page.locator("#output").bounding_box()
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.wait_for_timeout(500)
    return [] if page.url.count("_") == before + 1 else [f"expected one more point in {page.url}"]


def _exports(page: Any) -> list[str]:
    faults = []
    page.click("#save-python")
    faults += _wait(page, "() => document.querySelector('#program[open] pre')?.textContent.includes('minidl.fit(')")
    page.keyboard.press("Escape")
    for button, ending in (("#save-safetensors", ".safetensors"), ("#save-png", ".png")):
        with page.expect_download(timeout=20_000) as download:
            page.click(button)
        if not download.value.suggested_filename.endswith(ending):
            faults.append(f"expected a file {ending}, got {download.value.suggested_filename}")
    return faults


def _reports(page: Any) -> list[str]:
    page.select_option("[name=optimizer]", "SGD")
    page.select_option("[name=loss]", "MSELoss")
    page.fill("[name=lr]", "10")
    page.select_option("[name=activation-0]", "Identity")
    page.click("#run")
    return _wait(page, "() => document.getElementById('fault').textContent.includes('diverged')")


def _diverges(page: Any) -> list[str]:
    """Draw a network with infinite weights: an error of a picture is one of the page."""
    page.goto(f"{page.url.partition('#')[0]}?data=own&points=1e300,2,1_1,2,0_3,3,1_2,2,0")
    page.click("#run")
    faults = _wait(page, "() => document.getElementById('fault').textContent.includes('diverged')")
    page.wait_for_timeout(1000)  # until each picture has been drawn
    return faults


def _fits(page: Any) -> list[str]:
    """Look for a table that a phone would have to scroll sideways, with names and numbers that are long."""
    page.set_viewport_size({"width": 390, "height": 844})
    layers = "layers=16.LeakyReLU.0_16.LeakyReLU.0_16.Softplus.0_16.Sigmoid.0"
    page.goto(f"{page.url.partition('#')[0].partition('?')[0]}?{layers}")
    page.click("#step")
    faults = _wait(page, "() => document.getElementById('epoch').textContent.startsWith('1 ')")
    wide = (
        "(all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => `${e.scrollWidth} in ${e.clientWidth}`)"
    )
    found = page.locator(".scroll, #layers th, #layers td").evaluate_all(wide)
    return faults + [f"wider than its place: {one}" for one in found]
