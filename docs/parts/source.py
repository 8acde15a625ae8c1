"""The directive `source`: methods and functions as the packages have them, looked up by their names."""

import ast
import inspect
import re
import textwrap
from pydoc import locate
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

EXCEPTION = re.compile(r" *# (?:noqa|type: ignore)\b.*")


class Source(SphinxDirective):
    """Show the source of one or more functions in one block; a name that no longer exists is an error of the build.

    A docstring is shortened to its first line, because the page around the block says the rest.
    """

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the block."""
        text = "\n".join(self._source_of(name) for name in self.arguments[0].split()).rstrip()
        return [nodes.literal_block(text, text, language="python")]

    def _source_of(self, name: str) -> str:
        function: Any = locate(name)
        if not inspect.isfunction(function):
            raise self.error(f"source: there is no function {name}")
        self.env.note_dependency(inspect.getfile(function))
        return shorten(textwrap.dedent(inspect.getsource(function)))


def shorten(source: str) -> str:
    """Return the source of a function with the first line of its docstring alone."""
    (function,) = ast.parse(source).body
    lines = source.splitlines(keepends=True)
    docstring = function.body[0]
    if ast.get_docstring(function) and docstring.end_lineno > docstring.lineno:
        first = lines[docstring.lineno - 1].rstrip()
        lines[docstring.lineno - 1 : docstring.end_lineno] = [f'{first}"""\n']
    return "".join(lines)


def without_exceptions(source: str) -> str:
    """Return source without its comments for linters."""
    return EXCEPTION.sub("", source)
