"""The folders of the site, and writing generated files."""

from pathlib import Path

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
GENERATED = DOCS / "_generated"
"""The files that the build generates for the pages to include; git ignores them."""
EXTRA = GENERATED / "extra"
"""The generated files that are copied to the site as they are, at the same place."""
STATIC = GENERATED / "static"
"""The generated files that are copied to the site's folder of static files."""


def write(name: str, text: str) -> None:
    """Write a generated file if its content has changed, so that Sphinx rereads only the pages that include it."""
    path = GENERATED / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
