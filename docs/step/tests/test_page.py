import re

import pytest
from parts import single_page, step


@pytest.fixture
def modules(tmp_path):
    (tmp_path / "top.mjs").write_text(
        'import { a } from "./a.mjs";\nimport { b } from "./b.mjs";\nconsole.log(a + b);\n'
    )
    (tmp_path / "a.mjs").write_text('import { b } from "./b.mjs";\nexport const a = b + 1;\n')
    (tmp_path / "b.mjs").write_text("export const b = 1;\n")
    return tmp_path


def test_modules_become_one_script_in_which_each_comes_once_behind_what_it_needs(modules):
    script = single_page.bundle(modules / "top.mjs")
    assert script.index("const b = 1") < script.index("const a = b + 1") < script.index("console.log")
    assert script.count("const b") == 1
    assert "import" not in script
    assert "export" not in script


def test_names_that_two_modules_share_are_refused(modules):
    (modules / "b.mjs").write_text("export const b = 1;\nconst a = 2;\n")
    with pytest.raises(ValueError, match="differ between modules, got a twice"):
        single_page.bundle(modules / "top.mjs")


def test_a_mark_that_a_page_lacks_is_refused():
    with pytest.raises(ValueError, match="expected @B@ once"):
        single_page.fill("<p>@A@</p>", {"@A@": "a", "@B@": "b"})
    assert single_page.fill("<p>@A@ @B@</p>", {"@A@": "a", "@B@": "b"}) == "<p>a b</p>"


def test_the_page_holds_everything():
    page = step.make_page()
    assert len(page.encode()) < 100_000
    assert not re.search(r'@[A-Z]+@|src="|https?://|^import ', page, re.MULTILINE)


def test_each_line_of_source_is_one_that_a_step_shows(rounds):
    assert {source for one in rounds for source in one["sources"] if source} == set(step.LINES)


def test_the_marked_lines_compute_what_the_step_says():
    found = step.source_of(*step.LINES["Tanh.backward"])
    code = [re.sub("<[^>]*>", "", found["lines"][number]).strip() for number in found["marked"]]
    assert code == ["return dy * (1 - y * y)"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("minidl.Tanh.compute", ("return",)), "no function minidl.Tanh.compute"),
        (("minidl.Tanh.backward", ("yield",)), "'yield', got 0"),
        (("minidl.Module.update", ("if ",)), "'if ', got 2"),
    ],
)
def test_source_that_no_longer_exists_is_an_error_of_the_build(wanted, message):
    with pytest.raises(ValueError, match=message):
        step.source_of(*wanted)
