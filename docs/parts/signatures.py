"""Signatures with the type names of the source, such as `ArrayLike`, instead of the expanded types.

sphinx-autodoc-typehints was tried instead. It expands these names too, and drops the types of properties, so its
signatures need the same rules.
"""

import re
from functools import reduce

from numpy.typing import ArrayLike, DTypeLike
from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef
from sphinx.util.typing import stringify_annotation

# Inside another type autodoc writes an alias by its repr.
TypeAliasForwardRef.__repr__ = lambda self: self.name

_ALIASES = {
    stringify_annotation(alias, "smart"): name for name, alias in (("ArrayLike", ArrayLike), ("DTypeLike", DTypeLike))
}
_NAME = r"~?(?:\w+\.)*"  # with or without its module
_RULES = (
    (
        rf"{_NAME}ndarray\[tuple\[{_NAME}Any, \.\.\.\], {_NAME}dtype\[{_NAME}(\w+)(?:\[{_NAME}Any\])?\]\]",
        r"NDArray[\1]",
    ),
    (r"<(\w+\.\w+): [^>]*>", r"\1"),  # a member of an enum
    (r"<class '(?:\w+\.)*(\w+)'>", r"\1"),  # a class as a default
    (r"<factory>", "..."),  # a list or dict of its own for each record
)


def simplify(
    _app: Sphinx, _what: str, _name: str, _obj: object, _options: object, signature: str | None, result: str | None
) -> tuple[str | None, str | None]:
    """Return parameters and result of a signature with readable types."""
    return _readable(signature), _readable(result)


def _readable(text: str | None) -> str | None:
    if text is None:
        return None
    named = reduce(lambda line, alias: line.replace(alias, _ALIASES[alias]), _ALIASES, text)
    return reduce(lambda line, rule: re.sub(*rule, line), _RULES, named)
