"""Pages that need neither a server nor the network: the text of everything that they use stands in them."""

import re
from collections.abc import Mapping
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+|\[[^\]]*\])", re.MULTILINE)


def style(own: Path) -> str:
    """Return the style sheet of a page, behind the colours and rules that these pages share."""
    return "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).with_suffix(".css"), own))


def fill(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with a text for each of its marks, in the order of the marks."""
    for mark, text in parts.items():
        before, found, after = page.partition(mark)
        if not found or "</script" in text:
            raise ValueError(f"page: expected {mark} once, and no end of a script in its text")
        page = before + text + after
    return page


def bundle(entry: Path) -> str:
    """Return a module and all that it imports as one classic script.

    A page that is opened as a file may not load modules. They are joined in one scope, so no two of them may have a
    name in common.
    """
    texts = _in_order(entry, {})
    script = "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
    names = _NAME.findall(script)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"page: expected names that differ between modules, got {', '.join(twice)} twice")
    return f'"use strict";\n(() => {{\n{script}\n}})();\n'


def _in_order(path: Path, seen: dict[Path, None]) -> list[str]:
    """Return the texts of modules, each behind those that it imports."""
    if path in seen:
        return []
    seen[path] = None
    text = path.read_text(encoding="utf-8")
    below = [(path.parent / name).resolve() for name in _IMPORT.findall(text)]
    return [part for other in below for part in _in_order(other, seen)] + [text]
