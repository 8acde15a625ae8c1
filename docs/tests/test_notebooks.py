"""The notebooks that the build has written.

The build runs each example of the gallery as a script, so the code of a notebook has run if it is that of the script.
A kernel takes as long again: here it executes two of the gallery, in `nox -s notebooks` all.
"""

import ast
from doctest import ELLIPSIS, DocTestParser, OutputChecker

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from parts import notebooks
from parts.gallery import EXAMPLES

SCRIPTS = sorted(EXAMPLES.glob("plot_*.py"))
DEMONSTRATIONS = notebooks.demonstrations(notebooks.PAGE.read_text(encoding="utf-8"))
NAMES = list(DEMONSTRATIONS)
# The first, and the one that presses Ctrl-C, which a kernel handles otherwise than a script.
EXECUTED = {"plot_01_first_network", "plot_21_going_on"}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that executes a notebook in a kernel and returns it with its outputs."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))

    def execute(notebook):
        NotebookClient(notebook, timeout=300, startup_timeout=60).execute(cwd=str(tmp_path))
        return notebook

    return execute


def parsed(text):
    """Return a notebook, which must be a valid one, from its text."""
    notebook = nbformat.reads(text, 4)
    nbformat.validate(notebook)
    return notebook


def notebook_of(script):
    """Return the notebook of an example; skip where the build has left the example out, or has not run."""
    if not (notebooks.GALLERY / script.name).exists():
        pytest.skip(f"the site is built without {script.name}, or not at all")
    return parsed((notebooks.GALLERY / f"{script.stem}.ipynb").read_text(encoding="utf-8"))


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_code_of_a_notebook_is_that_of_the_script_which_the_build_runs(script):
    first, *cells = code_of(notebook_of(script))
    expected = ast.parse(script.read_text(encoding="utf-8"))
    del expected.body[0]  # the docstring, which is text in the notebook
    assert ast.dump(ast.parse("\n".join(cells))) == ast.dump(expected)
    assert all(line.startswith("#") for line in first.splitlines())
    assert "# %pip install ./packages/minidl-core" in first


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_text_of_a_notebook_has_no_roles_of_sphinx(script):
    for cell in notebook_of(script).cells:
        assert cell.cell_type == "code" or ":`" not in cell.source


@pytest.mark.parametrize(
    "script", [pytest.param(s, marks=[] if s.stem in EXECUTED else pytest.mark.slow, id=s.stem) for s in SCRIPTS]
)
def test_a_kernel_executes_the_notebook_of_the_gallery(script, run):
    assert any(cell.outputs for cell in run(notebook_of(script)).cells if cell.cell_type == "code")


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_gets_the_outputs_that_the_page_shows(name, run):
    cells = run(parsed(notebooks._as_json(DEMONSTRATIONS[name]))).cells
    found = [text for cell in cells if cell.cell_type == "code" and (text := shown(cell.outputs))]
    expected = wanted(name)
    assert len(found) == len(expected) >= 1
    for text, want in zip(found, expected, strict=True):
        assert OutputChecker().check_output(want, text, ELLIPSIS), f"expected {want!r}, got {text!r}"


def shown(outputs):
    """Return what a cell prints and its value, or its error, as a prompt of Python shows them."""
    texts = []
    for output in outputs:
        if output.output_type == "error":
            texts.append(f"{output.ename}: {output.evalue}\n")
        else:
            texts.append(output.text if output.output_type == "stream" else output.data["text/plain"] + "\n")
    return "".join(texts)


def wanted(name):
    """Return the outputs of the section of the page."""
    section = notebooks.PAGE.read_text(encoding="utf-8").partition(f"{name}.ipynb")[0].rpartition("\n## ")[2]
    examples = DocTestParser().get_examples(section)
    return [
        example.exc_msg.rpartition("minidl.gradcheck.")[2] if example.exc_msg else example.want
        for example in examples
        if example.want
    ]


def test_a_kernel_reports_a_cell_that_fails(run):
    notebook = notebooks._notebook([notebooks._code("1 / 0")])
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(parsed(notebooks._as_json(notebook)))


def test_the_page_offers_a_notebook_of_each_demonstration():
    table = notebooks.PAGE.read_text(encoding="utf-8").partition("\n\nThe code needs")[0]
    assert [name for name in NAMES if f"](#{name})" in table] == NAMES
    assert len(NAMES) == table.count("](#")


BLOCK = """\
>>> a = 1
>>> a
1
>>> for b in (a,):
...     print(b)  # doctest: +ELLIPSIS
1
>>> 1 / 0
Traceback (most recent call last):
ZeroDivisionError: division by zero
>>> c = 2
"""


def test_a_cell_ends_where_the_page_shows_an_output():
    cells = list(notebooks.code_cells(BLOCK))
    sources = ["".join(cell["source"]) for cell in cells]
    assert sources == ["a = 1\na", "for b in (a,):\n    print(b)", "1 / 0", "c = 2"]
    assert [cell["metadata"] for cell in cells] == [{}, {}, {"tags": ["raises-exception"]}, {}]


def test_the_first_cell_names_what_the_code_imports():
    cell = notebooks.first_cell(
        "import minidl\nimport torch.nn as nn\nfrom sklearn.datasets import load_digits\nimport json\n"
    )
    assert "needs minidl-core, scikit-learn and torch." in cell
    assert cell.endswith("# %pip install ./packages/minidl-core scikit-learn torch")
    assert "needs minidl-core.\n" in notebooks.first_cell("import minidl")


LINKS = """\
See <a href="step/index.html?a=1&amp;b=2">the
step</a> and [SGD](modules/sgd.md#why).

Why?
: Because
  so.
"""


def test_links_and_questions_are_written_for_a_reader_of_the_notebook():
    (cell,) = notebooks._texts(LINKS)
    assert "".join(cell["source"]) == (
        "See the\nstep (`step/index.html?a=1&b=2`) and SGD (`modules/sgd.html#why`).\n\n*Why?*\n\nBecause\n  so."
    )
