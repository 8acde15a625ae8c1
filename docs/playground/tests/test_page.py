from parts import playground


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
