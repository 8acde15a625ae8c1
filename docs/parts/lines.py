"""Lines of code as elements with their indentation, so that long lines can wrap with a hanging indent."""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge

TAG = re.compile(r"<[^>]*>")
INDENT = re.compile(r"(?:>>> |\.\.\. )?\s*")  # an example's prompt is part of the indentation


class LinesFormatter(HtmlFormatter[str]):
    """Wrap each line in a `span` with its indentation as a style; `_static/site.css` makes the hanging indent."""

    def wrap(self, source: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Return the lines with the markup around the block."""
        return super().wrap((is_line, _span(html) if is_line else html) for is_line, html in source)


def _span(html: str) -> str:
    code = html.rstrip("\n")
    indent = INDENT.match(unescape(TAG.sub("", code))).end()
    return f'<span class="code-line" style="--indent: {indent}">{code}</span>\n'


def use_lines() -> None:
    """Make this the formatter of all code that Sphinx writes."""
    PygmentsBridge.html_formatter = LinesFormatter
