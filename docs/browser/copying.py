"""A check of the buttons that copy code: by the keyboard, without prompts and without output."""

from pathlib import Path
from typing import Any

from looks import listen

# Where the pasted text appears; the clipboard itself asks for a permission.
FIELD = """() => {
  const field = document.createElement("textarea");
  field.id = "pasted";
  document.body.append(field);
}"""
# Begin and end of what is copied from the first block with `words`, and what stands there only.
BLOCKS = (
    ("index.html", "import minidl, minidl_data", "import minidl, ", "accuracy > 0.95", ">>> "),
    ("index.html", "minidl-sklearn", "pip install ", "./packages/minidl-sklearn", "$ "),
    ("teaching.html", "Traceback", "samples = np.random", "gradcheck(Suspect(), samples, rng=1)", "Traceback"),
    ("gallery/plot_01_first_network.html", "import matplotlib", "import matplotlib", "import minidl_data", None),
)


def check_copying(browser: Any, site: Path) -> list[str]:
    """Copy some blocks of code, and return the faults."""
    faults = []
    for name, *block in BLOCKS:
        page = browser.new_page()
        heard = listen(page)
        page.goto((site / name).as_uri())
        page.evaluate(FIELD)
        faults += [f"copy from {name}: {fault}" for fault in [*_copies(page, *block), *heard]]
        page.close()
    page = browser.new_page()
    page.goto((site / BLOCKS[-1][0]).as_uri())
    if page.locator(".sphx-glr-script-out button.copybtn").count():
        faults.append("copy: an output has a button")
    browser.close()
    return faults


def _copies(page: Any, words: str, begin: str, end: str, shown: str | None) -> list[str]:
    block = page.locator("div.highlight", has_text=words).first
    button = block.locator("button.copybtn")
    page.mouse.move(0, 0)
    button.press("Shift+Tab")  # so that the next key is what moves the focus there
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)  # it fades in
    faults = []
    if float(button.evaluate("e => getComputedStyle(e).opacity")) < 1:
        faults.append("the button is not visible while it has the focus")
    page.keyboard.press("Enter")
    page.locator("#pasted").press("Control+v")
    text = page.input_value("#pasted")
    if not (text.startswith(begin) and text.rstrip().endswith(end)) or ">>>" in text or "..." in text:
        faults.append(f"expected {begin!r} to {end!r} without prompts and output, got {text!r}")
    if shown and (shown in text or shown not in block.inner_text()):
        faults.append(f"expected {shown!r} on the page only, got {text!r}")
    return faults
