import re
import signal
import sys
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from docutils import nodes
from parts import gallery
from parts.benchmarks import measured, write_benchmarks
from parts.equations import write_equations
from parts.exercises import write_exercises
from parts.figures import write_figures
from parts.lines import use_lines
from parts.mathjax import SCRIPT, copy_mathjax
from parts.names import check_names
from parts.notebooks import finish_gallery, write_demonstrations
from parts.parity import write_parity
from parts.places import EXTRA
from parts.playground import write_playground
from parts.report import write_report
from parts.schedules import write_schedules
from parts.signatures import simplify
from parts.source import Source, without_exceptions
from parts.step import write_step
from parts.vector import write_drawings
from sphinx.application import Sphinx
from sphinx.util import logging

# An example presses Ctrl-C, which a shell makes its background jobs ignore.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

project = "minidl"
author = "minidl contributors"
copyright = author
release = version = version_of("minidl-core")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_generated", "benchmarks/*", "conformance/*", "examples", "scripts"]
if find_spec("minidl_native") is None:  # not installed, for lack of a compiler
    exclude_patterns.append("reference/native.md")
    suppress_warnings = ["toc.excluded"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
myst_substitutions = measured()
myst_heading_anchors = 3

html_theme = "furo"
pygments_dark_style = "monokai"
html_title = f"minidl {release}"
html_static_path = ["_static", "_generated/static"]
html_extra_path = [str(EXTRA)]
html_css_files = ["site.css"]
html_js_files = ["offline.js"]
html_copy_source = False
mathjax_path = SCRIPT
mathjax3_config = {"options": {"enableMenu": False}}  # its menu would load files from the network

# The public names are those in each package's __all__, wherever they are defined.
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_type_aliases = {"Array": "Array"}
python_maximum_signature_line_length = 80
# autodoc lists the members; numpydoc would list them again.
numpydoc_show_class_members = False

sphinx_gallery_conf = gallery.settings()

# What a button copies from examples and commands: their lines without the prompts, and no output. The gallery's outputs
# have no button.
copybutton_prompt_text = r">>> |\.\.\. ?|\$ "
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False
copybutton_selector = "div:not(.sphx-glr-script-out) > div.highlight > pre"

LITERAL = re.compile(r"(`+[^`]+`+)")
SIGN = re.compile(r"(?:(?<=\()|(?<=, ))\*(?=[a-z])|\|(?=\w+\|)")


def escape_signs(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Escape the star of a shape, `(*replicate_shape, size)`, and the bars of |x|, which have a meaning in rst."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = LITERAL.split(line)
            parts[::2] = [SIGN.sub(r"\\\g<0>", part) for part in parts[::2]]
            lines[number] = "".join(parts)


def generate(_app: Sphinx) -> None:
    """Generate the files that the pages include."""
    write_parity()
    write_benchmarks()
    write_drawings()
    write_schedules()
    write_figures()
    write_equations()
    write_exercises()
    write_demonstrations()
    write_report()


def bring_files(_app: Sphinx, _config: object) -> None:
    """Fill the folders of files that Sphinx copies before it reads them."""
    copy_mathjax()
    logging.getLogger(__name__).info(write_playground())
    write_step()


def trim_blocks(_app: Sphinx, doctree: nodes.document) -> None:
    """Remove from code the empty last line, which doctest needs, and `noqa` comments."""
    for block in doctree.findall(nodes.literal_block):
        text = without_exceptions(block.astext()).rstrip()
        block.rawsource = text  # the writer highlights a block only if it equals its source
        block[:] = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> None:
    """Generate before the pages are read; escape before numpydoc, whose priority is 500, reads the docstrings."""
    use_lines()
    app.add_directive("source", Source)
    app.connect("config-inited", bring_files)
    app.connect("builder-inited", generate)
    app.connect("builder-inited", finish_gallery, priority=600)  # sphinx-gallery's is 500
    app.connect("autodoc-process-signature", simplify)
    app.connect("doctree-read", trim_blocks)
    app.connect("autodoc-process-docstring", escape_signs, priority=400)
    app.connect("env-check-consistency", check_names)
