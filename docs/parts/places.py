"""Where things lie."""

from pathlib import Path

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
GENERATED = DOCS / "_generated"
"""Everything that the build writes for the pages to include; git ignores it."""
STATIC = GENERATED / "static"
"""What of it is copied beside the pages."""


def write(name: str, text: str) -> None:
    """Write a generated file, if its content is new: Sphinx then reads again only the pages that include it."""
    path = GENERATED / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
