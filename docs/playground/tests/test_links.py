"""The links of the pages to the playground: it has all their settings, and their trainings end as the pages say."""

import re
from html import unescape
from urllib.parse import parse_qsl

import pytest
from parts.places import DOCS

LINK = re.compile(r'href="(?:\.\./)?playground/index\.html\?([^"]*)"')
LINKS = sorted(
    {unescape(link) for page in DOCS.glob("*.md") for link in LINK.findall(page.read_text(encoding="utf-8"))}
)
MOONS = "data=moons&noise=0.5&samples=30&layers=16.ReLU.0_16.ReLU.0&replicates=30&epochs=400"
DEEP = "&optimizer=SGD&lr=0.05&momentum=0"
TRAINED = {
    "three": "layers=3.ReLU.0",
    "other": "layers=3.ReLU.0&seed=1",
    "sigmoid": f"layers={'_'.join(4 * ['8.Sigmoid.0'])}{DEEP}",
    "tanh": f"layers={'_'.join(4 * ['8.Tanh.0'])}{DEEP}",
    "overfits": MOONS,
    "dropout": MOONS.replace("ReLU.0", "ReLU.0.5"),
    "decay": f"{MOONS}&optimizer=AdamW&decay=0.3",
    "hopeless": "optimizer=SGD&momentum=0&lr=10",
}


@pytest.fixture(scope="module")
def found(engine, node):
    return node("links.mjs", engine, given={"links": LINKS, "trained": TRAINED})


@pytest.fixture(scope="module")
def trained(found):
    return found["trained"]


def test_the_playground_takes_every_setting_of_a_link_as_it_stands(found):
    assert len(LINKS) > 15
    for link, taken in zip(LINKS, found["taken"], strict=True):
        given = dict(parse_qsl(link, strict_parsing=True))
        assert given == {name: taken.get(name) for name in given}


def test_the_trainings_below_are_those_of_links():
    assert set(TRAINED.values()) <= set(LINKS)


def test_two_of_three_units_die_with_seed_0_and_none_with_seed_1(trained):
    assert (trained["three"]["dead"], trained["other"]["dead"]) == ([2], [0])
    assert trained["three"]["testAccuracy"][-1] < 0.7
    assert 0.85 < trained["other"]["testAccuracy"][-1] < 0.9


def test_sigmoids_learn_nothing_and_tanh_learns_the_disk(trained):
    sigmoid, tanh = trained["sigmoid"], trained["tanh"]
    assert sigmoid["testAccuracy"][-1] < 0.6
    assert tanh["testAccuracy"][-1] > 0.9
    assert tanh["gradients"][0] > 100 * sigmoid["gradients"][0]


def test_thirty_points_overfit_and_remedies_lower_the_test_loss(trained):
    overfits, dropout, decay = (trained[name]["testLoss"] for name in ("overfits", "dropout", "decay"))
    assert trained["overfits"]["loss"][-1] < 0.05
    assert overfits[-1] > 4 * min(overfits)
    assert dropout[-1] < overfits[-1] / 2
    assert decay[-1] < overfits[-1] / 3
    assert trained["dropout"]["loss"][-1] > 2 * trained["overfits"]["loss"][-1]


def test_a_rate_of_10_never_gets_beyond_guessing(trained):
    assert max(trained["hopeless"]["testAccuracy"]) < 0.65
