import pytest
from parts import playground


@pytest.fixture
def modules(tmp_path):
    (tmp_path / "top.mjs").write_text(
        'import { a } from "./a.mjs";\nimport { b } from "./b.mjs";\nconsole.log(a + b);\n'
    )
    (tmp_path / "a.mjs").write_text('import { b } from "./b.mjs";\nexport const a = b + 1;\n')
    (tmp_path / "b.mjs").write_text("export const b = 1;\n")
    return tmp_path


def test_modules_become_one_script_in_which_each_comes_once_behind_what_it_needs(modules):
    script = playground.bundle(modules / "top.mjs")
    assert script.index("const b = 1") < script.index("const a = b + 1") < script.index("console.log")
    assert script.count("const b") == 1
    assert "import" not in script
    assert "export" not in script


def test_names_that_two_modules_share_are_refused(modules):
    (modules / "b.mjs").write_text("export const b = 1;\nconst a = 2;\n")
    with pytest.raises(ValueError, match="differ between modules, got a twice"):
        playground.bundle(modules / "top.mjs")


def test_the_page_holds_everything_and_little(engine):
    page = playground.make_page(engine)
    assert len(page.encode()) < playground.MOST_BYTES
    assert "@W" not in page
    assert 'src="' not in page
    assert "https://" not in page


def test_without_the_compiler_the_page_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(playground, "EXTRA", tmp_path)
    monkeypatch.setattr(playground, "can_compile", lambda: False)
    assert "not built" in playground.write_playground()
    assert "without the playground" in (tmp_path / "playground" / "index.html").read_text(encoding="utf-8")
