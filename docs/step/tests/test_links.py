"""The links of the pages to the stepper lead to the steps that the pages speak of."""

import re
from html import unescape

import pytest
from parts.places import DOCS

LINK = re.compile(r'href="step/index\.html\?([^"]*)"')
LINKS = {unescape(link) for page in DOCS.glob("*.md") for link in LINK.findall(page.read_text(encoding="utf-8"))}
EXPECTED = {
    "step=6": ("Loss", 0.0477),
    "step=6&w11=0.61": ("Loss", 0.0466),
    "step=7": ("Gradient of f", -0.4367),
    "step=8": ("Gradient of u₁", -0.3128),
    "step=11": ("Gradient of h₁", -0.2184),
    "step=13": ("Gradient of z₁", -0.1063),
    "step=15": ("Gradient of w₁₁", -0.1063),
    "step=21": ("Gradient of x₁", -0.1359),
    "b1=5&step=13": ("Gradient of z₁", 0.0),
    "dropout=10&step=11": ("Gradient of u₂", 0.0),
    "lr=1.5&step=24": ("After the step", 2.0930),
    "optimizer=Adam&step=25": ("Step of each parameter", -1.0),
}


def test_links_lead_to_their_steps(node):
    assert set(EXPECTED) == LINKS
    found = node("links.mjs", [*EXPECTED])
    for (title, value), link in zip(found, EXPECTED, strict=True):
        assert (title, value) == (EXPECTED[link][0], pytest.approx(EXPECTED[link][1], abs=1e-4))
