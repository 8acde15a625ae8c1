"""The report's equations, with the code that computes each and the test that checks it.

The build looks up every name, so a renamed function or test fails the build.
"""

from functools import reduce
from importlib import import_module
from typing import NamedTuple

from parts.markdown import table
from parts.places import ROOT, write

CORE = "packages/minidl-core/tests"


class Equation(NamedTuple):
    """An equation, the function that computes it, and its test."""

    number: str
    what: str
    code: str
    test: str


LINEAR = f"{CORE}/test_linear.py::test_forward_and_backward_are_the_sums_of_eq_1_to_4"
BY_HAND = f"{CORE}/test_losses.py::test_eq_9_to_12_by_hand"
ADAM = f"{CORE}/test_optim.py::test_adam_is_eq_14_to_16"
SLOPES = f"{CORE}/test_activations.py::test_the_leaky_line_and_its_slopes"

EQUATIONS = (
    Equation("1", "$s = w x + b$", "minidl.Linear.forward", LINEAR),
    Equation("2", "gradient of the input", "minidl.Linear.backward", LINEAR),
    Equation("3", "gradient of the weights", "minidl.Linear.backward", LINEAR),
    Equation("4", "gradient of the bias", "minidl.Linear.backward", LINEAR),
    Equation(
        "5, 6", "the update", "minidl.Module.update", f"{CORE}/test_optim.py::test_plain_sgd_steps_against_the_gradient"
    ),
    Equation("7", "leaky ReLU", "minidl.LeakyReLU.forward", SLOPES),
    Equation("8", "its derivative", "minidl.LeakyReLU.backward", SLOPES),
    Equation("9", "squared error", "minidl.MSELoss.forward", BY_HAND),
    Equation("10", "its gradient", "minidl.MSELoss.backward", BY_HAND),
    Equation("11", "cross-entropy", "minidl.BCELoss.forward", BY_HAND),
    Equation("12", "its gradient, in the logit", "minidl.BCEWithLogitsLoss.backward", BY_HAND),
    Equation(
        "13",
        r"$\gamma = \eta\, t^{-\kappa}$",
        "minidl.Optimizer.adaptive_lr",
        f"{CORE}/test_optim.py::test_the_rate_decays_by_eq_13",
    ),
    Equation("14, 15", "Adam's moments", "minidl.Adam.value_of", ADAM),
    Equation("16", "Adam's value", "minidl.Adam.value_of", ADAM),
    Equation(
        "II-A3",
        "dropout",
        "minidl.Dropout.forward",
        f"{CORE}/test_dropout.py::test_a_unit_is_zero_or_scaled_forward_and_backward",
    ),
    Equation(
        "III-A",
        "the disk",
        "minidl_data.load_disk",
        "packages/minidl-data/tests/test_disk.py::test_load_disk_is_the_report_s_two_sets",
    ),
    Equation(
        "Figure 1",
        "the network",
        "minidl_experiments.build_network",
        "packages/minidl-experiments/tests/test_settings_and_network.py::test_the_default_is_the_network_of_figure_1",
    ),
)


def write_equations() -> None:
    """Look up every name of the table, and write it."""
    rows = [[each.number, each.what, _code(each.code), _test(each.test)] for each in EQUATIONS]
    write("equations.md", table(["equation", "what", "code", "test"], rows, "llll"))


def _code(name: str) -> str:
    package, *attributes = name.split(".")
    role = "func" if callable(reduce(getattr, attributes, import_module(package))) and len(attributes) == 1 else "meth"
    return f"{{py:{role}}}`{'.'.join(attributes)} <{name}>`"


def _test(place: str) -> str:
    path, name = place.split("::")
    if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"):
        raise LookupError(f"docs/parts/equations.py: there is no test {place}")
    return f"{_as_words(name)}, in `{path.rsplit('/', 1)[-1]}`"


def _as_words(name: str) -> str:
    """Return the name of a test as text, with `eq. 13` and `the report's`."""
    words = name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
    for short, written in (("eq ", "eq. "), ("figure ", "Figure "), ("sgd", "SGD"), ("adam ", "Adam ")):
        words = words.replace(short, written)
    return words
