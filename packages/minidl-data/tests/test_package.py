"""The package as a whole: its examples run, and it imports NumPy alone."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import minidl_data

MODULES = ["minidl_data", *(f"minidl_data.{module.name}" for module in pkgutil.iter_modules(minidl_data.__path__))]
README = Path(__file__).parents[1] / "README.md"


def examples_in(thing):
    return sum(len(test.examples) for test in doctest.DocTestFinder().find(thing))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", [name for name in minidl_data.__all__ if callable(getattr(minidl_data, name))])
def test_every_public_function_and_class_has_an_example(name):
    assert examples_in(getattr(minidl_data, name)) > 0


def test_the_examples_of_the_readme_run():
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0


def test_the_readme_lists_every_public_name():
    assert [name for name in minidl_data.__all__ if f"`{name}" not in README.read_text("utf-8")] == []


def test_import_needs_numpy_alone():
    script = """
import sys
import numpy.random
before = set(sys.modules)
import minidl_data
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - set(sys.stdlib_module_names) - {"numpy"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - this project's own program
    assert done.stdout.split() == ["minidl_data"]
