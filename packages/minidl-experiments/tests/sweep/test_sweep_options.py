import pytest

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Definition, Grid
from minidl_experiments.sweep.options import read_sweep

FILE = """
lr = [1e-3, 1]
width = 10
activation = ["relu", "leaky-relu"]
optimizer = "sgd"
batch_size = [20, 50]
p_drop = [0, 0.5]
seeds = 3
seed = 4
epochs = 7
samples = 30
"""


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "sweep.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_defaults_are_the_reports_settings():
    grid, definition = read_sweep(None, {"lr": None})
    assert (grid, definition) == (Grid(), Definition())
    assert [len(grid.configs), len(grid.seeds)] == [1, 10]


def test_flags_are_read():
    grid, definition = read_sweep(
        None,
        {"lr": "1e-3, 0.01", "width": "10,25", "activation": "relu,tanh", "optimizer": "adam,sgd", "p_drop": "0,.1"}
        | {"batch_size": "50", "seeds": 3, "epochs": 5, "samples": 100},
    )
    assert grid == Grid(
        lr=(1e-3, 1e-2),
        width=(10, 25),
        activation=(Activation.RELU, Activation.TANH),
        optimizer=(Optimizer.ADAM, Optimizer.SGD),
        batch_size=(50,),
        p_drop=(0.0, 0.1),
        seeds=(0, 1, 2),
    )
    assert definition == Definition(epochs=5, samples=100)
    assert len(grid.configs) == 2**5
    assert grid.varied == ["lr", "width", "activation", "optimizer", "p_drop"]


def test_flags_take_precedence_over_the_file(toml):
    grid, definition = read_sweep(toml(FILE), {"lr": "0.5", "epochs": 9, "seed": 0})
    assert (grid.lr, grid.width, grid.batch_size, grid.p_drop) == ((0.5,), (10,), (20, 50), (0.0, 0.5))
    assert grid.activation == (Activation.RELU, Activation.LEAKY_RELU)
    assert grid.seeds == (0, 1, 2)
    assert definition == Definition(epochs=9, samples=30)
    assert read_sweep(toml(FILE), {})[0].seeds == (4, 5, 6)


def test_duplicate_values_are_dropped():
    assert read_sweep(None, {"lr": "1e-3,0.001,1"})[0].lr == (1e-3, 1.0)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"lr": "fast"}, "--lr: expected a number above 0, got 'fast'"),
        ({"lr": "-1"}, "--lr: expected a number above 0, got -1"),
        ({"lr": "nan"}, "--lr: expected a number above 0, got nan"),
        ({"lr": "inf"}, "--lr: expected a number above 0, got inf"),
        ({"lr": "1,,2"}, "--lr: expected a number above 0, got ''"),
        ({"width": "2.5"}, "--width: expected an integer from 1 to 2147483647, got 2.5"),
        ({"width": "0"}, "--width: expected an integer from 1 to 2147483647, got 0"),
        ({"batch_size": "10000000000"}, "--batch-size: expected an integer from 1 to 2147483647, got 10000000000"),
        ({"activation": "gelu"}, "--activation: expected one of relu, leaky-relu, tanh, sigmoid, got 'gelu'"),
        ({"optimizer": "1"}, "--optimizer: expected one of adam, sgd, got 1"),
        ({"p_drop": "1.1"}, "--p-drop: expected a number from 0 to 1, got 1.1"),
        ({"seeds": 0}, "--seeds: expected an integer from 1 to 2147483647, got 0"),
        ({"seed": -1}, "--seed: expected an integer from 0 to 2147483647, got -1"),
    ],
)
def test_an_error_names_the_flag(flags, message):
    with pytest.raises(ValueError) as caught:
        read_sweep(None, flags)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"lr": "0,1"},
            "--lr: expected decimal numbers with a point, got '0,1', in which the comma separates the values 0 ",
        ),
        ({"lr": "0,01"}, "--lr: expected decimal numbers with a point, got '0,01'"),
        ({"lr": "1,5"}, "the values 1 and 5; if they are meant, write a space after the comma"),
        ({"lr": "1,5e-3"}, "the values 1 and 0.005;"),
        ({"lr": "0,1,0,2"}, "the values 0 and 1 and 0 and 2;"),
        ({"p_drop": "0,1"}, "--p-drop: expected decimal numbers with a point"),
        ({"p_drop": "0,05"}, "--p-drop: expected decimal numbers with a point"),
        ({"width": "1,024"}, "--width: expected integers without separators of thousands, got '1,024'"),
        ({"batch_size": "1,000"}, "--batch-size: expected integers without separators of thousands"),
        ({"lr": "0"}, "--lr: expected a number above 0, got 0"),
        ({"lr": "-0.0"}, "--lr: expected a number above 0, got -0.0"),
        ({"lr": "0, 1"}, "--lr: expected a number above 0, got 0"),
    ],
)
def test_a_decimal_comma_and_a_learning_rate_of_0_are_refused(flags, message):
    with pytest.raises(ValueError) as caught:
        read_sweep(None, flags)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("lr", "1e-3,1e-2", (1e-3, 1e-2)),
        ("lr", "1E-3,5", (1e-3, 5.0)),
        ("lr", "1e-3,1", (1e-3, 1.0)),
        ("lr", "1, 5", (1.0, 5.0)),
        ("lr", "0.1,1,10", (0.1, 1.0, 10.0)),
        ("lr", "1.0,5", (1.0, 5.0)),
        ("p_drop", "0,0.5", (0.0, 0.5)),
        ("p_drop", "0, 1", (0.0, 1.0)),
        ("width", "10,25,100", (10, 25, 100)),
    ],
)
def test_lists_that_can_be_read_in_one_way_are_accepted(name, text, values):
    assert getattr(read_sweep(None, {name: text})[0], name) == values


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    assert read_sweep(path, {})[0].lr == (1e-3, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr = 0", "lr: expected a number above 0, got 0"),
        ("lr = '0,1'", "lr: expected a number above 0, got '0,1'"),
        (
            "learning_rate = 1",
            "unknown key 'learning_rate'; allowed are lr, width, activation, optimizer, batch_size, p_",
        ),
        ("lr = [", "expected a valid TOML file, got an error"),
        ("lr = []", "sweep.toml: lr: expected at least one value, got none"),
        ("lr = true", "lr: expected a number above 0, got True"),
        ("lr = '1e-3'", "lr: expected a number above 0, got '1e-3'"),
        ("width = 25.0", "width: expected an integer from 1 to 2147483647, got 25.0"),
        ("width = [[1]]", "width: expected an integer"),
        ("activation = [['relu']]", "activation: expected one of relu"),
        ("seeds = [1, 2]", "seeds: expected an integer from 1 to 2147483647, got [1, 2]"),
    ],
)
def test_an_error_names_the_key_of_the_file(toml, text, message):
    with pytest.raises(ValueError) as caught:
        read_sweep(toml(text), {})
    assert message in str(caught.value)


def test_an_error_names_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read .*none\.toml: No such file"):
        read_sweep(tmp_path / "none.toml", {})
