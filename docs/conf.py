import re
from importlib.metadata import version as version_of

from sphinx.application import Sphinx

project = "minidl"
author = "minidl contributors"
copyright = author
release = version = version_of("minidl-core")

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"minidl {release}"
myst_enable_extensions = ["dollarmath"]

# The public names are those in each package's __all__, in its order; where they are defined does not matter.
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # the docstrings say more: types, shapes and units
# autodoc lists the members; numpydoc would list them again.
numpydoc_show_class_members = False


def escape_stars(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Keep the star of a shape, as in `(*lead, size)`, from opening an emphasis."""
    for number, line in enumerate(lines):
        if "`" not in line and not line.lstrip().startswith((">>>", "...")):
            lines[number] = re.sub(r"(\(|, )\*(?=[a-z])", r"\1\\*", line)


def setup(app: Sphinx) -> None:
    """Escape before numpydoc, whose priority is 500, reads the docstrings."""
    app.connect("autodoc-process-docstring", escape_stars, priority=400)
