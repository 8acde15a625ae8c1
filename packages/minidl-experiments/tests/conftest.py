import pytest


@pytest.fixture(autouse=True)
def no_width(monkeypatch):
    """Print whole lines, as into a pipe, whatever terminal the tests run in."""
    monkeypatch.delenv("COLUMNS", raising=False)
