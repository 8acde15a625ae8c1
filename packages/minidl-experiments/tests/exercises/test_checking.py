"""What a check says: the wrong element, the shape, the line of an exception."""

import numpy as np
import pytest

from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.cases import Case, call
from minidl_experiments.exercises.checking import check_source
from minidl_experiments.exercises.exercise import Exercise

LINEAR = "import numpy as np\ndef forward(x, weight, bias): return x @ weight.mT + bias[..., None, :]\n"


def message(name, source):
    verdict = check_source(EXERCISES[name], source, "learner.py")
    assert not verdict.passed
    return verdict.message


def exercise_of(*cases):
    """Return an exercise that has the file of relu and other cases."""
    return Exercise("relu", "", (), lambda _rng: list(cases))


def verdict_of(body, *cases):
    return check_source(exercise_of(*cases), f"def backward(*args):\n    {body}\n", "learner.py")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("dweight[1, 0] += 0.5", "dweight[1, 0] is "),
        ("dbias[2] = np.nan", "dbias[2] is nan, it should be "),
        ("dx[0, 1] *= -1", "dx[0, 1] is "),
        ("dx[2, 1] = np.inf", "dx[2, 1] is inf, it should be "),
        ("dweight = dweight.mT", "dweight has the shape (2, 4), it should have (4, 2)"),
        ("dbias = None", "dbias is None: is a return missing?"),
        ("dbias = 'text'", "dbias should be an array of numbers, and is a str"),
        ("dx = [[1], [2, 3]]", "dx should be an array of numbers, and is a list"),
        ("dy[1, 2] = 7", "dy[1, 2] was "),
        ("weight *= 2", "an input must not be changed"),
    ],
)
def test_the_wrong_element_is_named(change, named):
    source = (
        f"{LINEAR}def backward(dy, x, weight):\n    dx, dweight, dbias = dy @ weight, dy.mT @ x, dy.sum(axis=-2)\n"
        f"    {change}\n    return dx, dweight, dbias\n"
    )
    text = message("linear", source)
    assert text.splitlines()[0] == "backward with dy (3, 4), x (3, 2), weight (4, 2):"
    assert named in text


def test_both_values_are_right():
    case = call("backward", {"x": np.zeros(2)}, {"dx": np.array([[1.0, 2.5], [3.0, 4.0]])})
    verdict = verdict_of("return [[1, 2.25], [3, 4]]", case)
    assert verdict.message == "backward with x (2,):\ndx[0, 1] is 2.25, it should be 2.5"


def test_the_worst_element_is_named():
    case = call("backward", {"x": np.zeros(2)}, {"dx": np.array([1.0, 2.0, 3.0])})
    assert "dx[2] is 5, it should be 3" in verdict_of("return [1.1, 2.2, 5]", case).message


@pytest.mark.parametrize(("answer", "passed"), [("1 + 5e-10", True), ("1 + 5e-9", False)])
def test_the_tolerance_is_that_of_the_case(answer, passed):
    case = call("backward", {}, {"loss": 1.0}, tolerance=1e-9)
    assert verdict_of(f"return {answer}", case).passed is passed


def test_a_small_value_may_be_asked_for_with_all_digits():
    case = call("backward", {}, {"loss": 1e-20}, floor=1e-60)
    assert verdict_of("return 1.001e-20", case).message.endswith("loss is 1.001e-20, it should be 1e-20")
    assert verdict_of("return 1e-20", case).passed


@pytest.mark.parametrize(("returned", "kind"), [("args[0]", "an array of shape (3,)"), ("(1, 2)", "2 values")])
def test_the_number_of_returned_values_is_named(returned, kind):
    case = call("backward", {"x": np.zeros(3)}, dict.fromkeys(("dx", "dweight", "dbias"), 0.0))
    expected = f"backward should return 3 values (dx, dweight, dbias), and returned {kind}"
    assert verdict_of(f"return {returned}", case).message.splitlines()[1] == expected


def test_arrays_in_a_list_must_not_be_changed():
    case = call("backward", {"grads": [np.ones(2), np.ones((1, 2))]}, {"norm": 1.0})
    assert "grads[1][0, 1] was 1 before the call and is 3" in verdict_of("args[0][1][0, 1] = 3", case).message


def test_nan_and_infinity_may_be_expected():
    case = call("backward", {}, {"y": np.array([np.nan, np.inf])})
    assert verdict_of("return [float('nan'), float('inf')]", case).passed
    assert "y[1] is -inf, it should be inf" in verdict_of("return [float('nan'), -float('inf')]", case).message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "def backward(dy, x):\n    return dy * unknown\n",
            "line 2, in backward: return dy * unknown\nNameError: name",
        ),
        ("def backward(dy, x):\n    return dy *\n", "line 2: return dy *\nSyntaxError: invalid syntax"),
        ("x = 1 / 0\n", "line 1, in <module>: x = 1 / 0\nZeroDivisionError: division by zero"),
        ("def backward(dy):\n    return dy\n", "TypeError: backward() takes 1 positional argument but 2 were given"),
        ("def forward(dy):\n    return dy\n", "the file has no backward"),
        ("import sys\nsys.exit(3)\n", "the code ended the program (sys.exit) before the check was done"),
        (
            "def backward(dy, x):\n    return backward(dy, x)\n",
            "line 2, in backward: return backward(dy, x)\nRecursion",
        ),
        ("def backward(dy, x):\n    raise ValueError('y' * 10_000)\n", "ValueError: " + 300 * "y"),
    ],
)
def test_an_exception_is_shown_with_its_line(source, expected):
    text = message("relu", source)
    assert expected in text
    assert len(text) < 600
    assert "checking.py" not in text


def test_an_exception_in_numpy_has_the_learners_line():
    text = message("relu", "import numpy as np\ndef backward(dy, x):\n    return np.matmul(dy, x)\n")
    assert "line 3, in backward: return np.matmul(dy, x)\nValueError: matmul" in text


def test_an_unknown_mistake_gets_the_first_hint():
    verdict = check_source(EXERCISES["adam"], "def step(value, *more): return value, 0 * value, value", "learner.py")
    assert verdict.hint == 1
    assert len(verdict.message.splitlines()) == 2


def test_a_block_for_the_main_program_does_not_run():
    source = EXERCISES["relu"].source + "\nif __name__ == '__main__':\n    raise SystemExit\n"
    assert check_source(EXERCISES["relu"], source, "learner.py").passed


def test_a_case_may_run_anything():
    case = Case("two calls", lambda code: {"sum": code.backward() + code.backward()}, {"sum": 3})
    assert verdict_of("return 1", case).message == "two calls:\nsum is 2, it should be 3"
