import numpy as np
import pytest

import minidl

HIDDEN = [{"units": 6, "activation": "ReLU", "dropout": 0}, {"units": 5, "activation": "Tanh", "dropout": 0.25}]
CONFIG = {
    "samples": 60,
    "epochs": 40,
    "replicates": 3,
    "layers": HIDDEN,
    "loss": "CrossEntropyLoss",
    "lr": 0.05,
    "seed": 3,
}
TABLES = [
    "x1,x2,kind\n1,2,b\n3,2,a\n5,6,b\n3,6,a\n3,4,a\n",
    "0 1\n1 2\n2 2.5\n3 1\n",
    "1,2\n3,4\n",
    "1,2,a\n3,4,b\n5,6,c\n7,8,a\n",
    "1,2,3,4\n" * 5,
    "1,2,a\n3,4\n5,6,b\n7,8,a\n",
    "1,2,a\n3,x,b\n5,6,b\n7,8,a\n",
    "x,y,kind\n\n1,2,a\n3,,b\n5,6,b\n7,8,a\n",
    "1,,a\n3,4,b\n5,6,b\n7,8,a\n",
]
# A quoted header, decimal commas, names of two words, an empty line.
SPREADSHEET = '"x1";"x2";"kind"\n1,5;2;Iris setosa\n\n3;2,25;"Iris virginica"\n5;6;Iris setosa\n-3,5;6;Iris setosa\n'
BLANKS = "x1\tx2\tkind\n1\t2\tlarge cat\n3\t4\tdog\n5\t6\tdog\n7\t8\tdog\n"
ALTERNATING = "".join(f"{i},{i},{'ab'[i % 2]}\n" for i in range(3000))
HASHES = [
    "data=xor&layers=3.ReLU.0.5_2.Sigmoid.0&lr=0.5&seed=12",
    "",
    "layers=&data=nothing&lr=word&replicates=1e9&batch=2.6&layers_=1&loss=<b>",
    "layers=99.Nothing.2_3",
]
ROWS = "0.1,0.2,0_0.5,0.5,1_-1,2,0_3,4,1"
POINTS = [
    f"points={ROWS}",
    f"points={ROWS}&class=a%26b&class=%C3%B6%20%3D",
    f"points={ROWS}&class=a",
    "points=0.1,0.2_0.3,0.4_1,2_3,4&class=a&class=b",
    "points=1,2,0&class=a&class=b",
]
RANGES = [(0, 1.05), (0, 0.73), (0.48, 1), (0, 2.1e-9), (0, 0.9999), (0, 37.2), (0.93, 1)]
DIVERGING = {"optimizer": "SGD", "lr": 10, "loss": "MSELoss", "replicates": 1, "layers": [], "epochs": 200}


@pytest.fixture(scope="session")
def seen(engine, node):
    tables = [*TABLES, SPREADSHEET, BLANKS]
    given = {
        "config": CONFIG,
        "tables": tables,
        "many": ALTERNATING,
        "hashes": HASHES,
        "points": POINTS,
        "ranges": RANGES,
        "pieces": {"diverging": DIVERGING},
    }
    return node("observing.mjs", engine, given=given)


@pytest.fixture(scope="session")
def names(seen):
    names = {}
    exec(seen["python"], names)  # noqa: S102 - the exported program is what the page is compared with
    return names


@pytest.fixture(scope="session")
def first(names):
    """Return the first replicate, which the page looks into."""
    return minidl.unstack(names["model"])[0].eval()


def test_dead_and_saturated_units_are_those_that_probe_finds(seen, names, first):
    x = names["x"][: CONFIG["samples"]]
    found = minidl.probe(first, x)
    for place, layer in zip("13", seen["layers"], strict=True):
        numbers = found[place].outputs
        # Rounding may carry a single output over the limit.
        assert layer["saturated"] == pytest.approx(numbers["saturated"], abs=1.5 / len(x) / layer["units"])
        assert layer["dead"] == round(numbers["dead"] * layer["units"])
        assert sum(layer["outputs"]["counts"].values()) == len(x) * layer["units"]
    assert seen["layers"][0]["saturated"] > 0.1  # else the test above shows little


def test_the_responses_are_outputs_of_the_units(seen, first):
    grid = np.float32(seen["grid"]).reshape(-1, 2)
    assert grid[0].tolist() == pytest.approx([-grid[-1, 0], -grid[-1, 1]])
    assert grid[0, 1] > 0  # the first row is the upper one
    outputs = [grid]
    for layer in first.layers:
        outputs.append(layer.infer(outputs[-1]))
    for place, response in zip((2, 4), seen["responses"], strict=True):
        np.testing.assert_allclose(np.reshape(response, (-1, len(grid))), outputs[place].T, rtol=1e-4, atol=1e-4)


def test_mean_and_spread_are_over_the_replicates(seen):
    np.testing.assert_allclose(seen["mean"], np.mean(seen["each"], axis=0), rtol=1e-5)
    np.testing.assert_allclose(seen["spread"], np.std(seen["each"], axis=0), atol=1e-5)
    assert 0 <= min(seen["mean"]) < 0.5 < max(seen["mean"]) <= 1


def test_tables_are_read_or_refused(seen):
    first, second, *refused, spreadsheet, blanks = seen["tables"]
    assert first == {"rows": [[1, 2, 1], [3, 2, 0], [5, 6, 1], [3, 6, 0], [3, 4, 0]], "width": 2, "classes": ["a", "b"]}
    assert (second["width"], second["rows"][2]) == (1, [2, 2.5])
    expected = [
        "4 rows",
        "2 classes",
        "2 or 3 columns",
        "2 in line 2",
        "got 3 and x",
        "line 4, got 3 and nothing",
        "line 1",
    ]
    for message, words in zip(refused, expected, strict=True):
        assert words in message
    assert spreadsheet["rows"] == [[1.5, 2, 0], [3, 2.25, 1], [5, 6, 0], [-3.5, 6, 0]]
    assert spreadsheet["classes"] == ["Iris setosa", "Iris virginica"]
    assert (blanks["rows"][0], blanks["classes"]) == ([1, 2, 1], ["dog", "large cat"])


def test_classes_that_alternate_are_both_tested(seen):
    """Of every fourth row alone, all would be of one class."""
    assert seen["manyTests"] == [0, 1] * 125
    thinned = [row[0] for row in seen["manyRows"]]
    assert (len(thinned), thinned[0], thinned[-1]) == (1000, 0, 2997)


def test_tables_are_standardised_and_split(seen):
    columns = np.array(seen["standard"])[:, :2]
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(columns.std(axis=0), 0.5, atol=1e-4)
    assert seen["counts"] == [4, 1]


def test_addresses_hold_the_settings(seen):
    full, empty, wrong, strange = seen["hashes"]
    assert (full["data"], full["lr"], full["seed"]) == ("xor", 0.5, 12)
    assert full["layers"] == [
        {"units": 3, "activation": "ReLU", "dropout": 0.5},
        {"units": 2, "activation": "Sigmoid", "dropout": 0},
    ]
    assert seen["again"][0].split("&")[0] == "data=xor"
    assert seen["again"][1] == ""
    assert (wrong["data"], wrong["lr"], wrong["replicates"], wrong["batch"]) == ("disk", empty["lr"], 100, 3)
    assert wrong["layers"] == []
    assert (wrong["loss"], empty["loss"]) == ("BCEWithLogitsLoss", "BCEWithLogitsLoss")
    assert strange["layers"][0] == {"units": 16, "activation": "Tanh", "dropout": 0.9}


def test_a_training_that_diverges_ends(seen):
    assert seen["lostAfter"] < 200


def test_addresses_hold_points_and_the_names_of_their_classes(seen):
    plain, named, one, curve, few = seen["points"]
    assert (plain, named, one) == (POINTS[0], POINTS[1], POINTS[0])
    assert curve == POINTS[3].partition("&")[0]  # a curve has no classes
    assert (few.count("_"), "class" in few) == (7, False)  # the points that stand there before any are drawn


def test_points_outside_the_picture_are_found(seen):
    assert seen["inside"] == [[True, True, False], [True, False, False]]  # of a curve, and of the plane


def test_ticks_are_round_numbers(seen):
    for (least, most), ticks in zip(RANGES, seen["ticks"], strict=True):
        assert 2 <= len(ticks) <= 6
        assert least <= ticks[0] + 1e-12
        assert ticks[-1] <= most
        steps = np.diff(ticks)
        np.testing.assert_allclose(steps, steps[0])
        assert f"{steps[0]:.6e}"[:8] in {"1.000000", "2.000000", "5.000000"}
        np.testing.assert_allclose(np.array(ticks) / steps[0], np.round(np.array(ticks) / steps[0]), atol=1e-9)
