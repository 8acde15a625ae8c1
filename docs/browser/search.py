"""A check of the search page, opened as a file: it must find pages without errors in the console."""

from pathlib import Path
from typing import Any

from looks import listen
from playwright.sync_api import TimeoutError as TimedOut

QUESTIONS = ("CrossEntropyLoss", "dropout", "replicate")


def check_search(browser: Any, site: Path) -> list[str]:
    """Search for words that the site contains, and return the faults."""
    faults = []
    for question in QUESTIONS:
        page = browser.new_page()
        heard = listen(page)
        page.goto(f"{(site / 'search.html').as_uri()}?q={question}")
        try:
            page.wait_for_selector("#search-results li a", timeout=10_000)
        except TimedOut as error:
            heard.append(str(error))
        faults += [f"search for {question}: {fault}" for fault in heard]
        page.close()
    browser.close()
    return faults
