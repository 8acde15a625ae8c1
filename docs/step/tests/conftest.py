import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))  # for `parts`: the build of the site is no package

NAMES = ("x1", "x2", "y", "w11", "w12", "w21", "w22", "b1", "b2", "u1", "u2", "c")


def networks():
    """Return random networks, two of each kind."""
    rng = np.random.default_rng(0)
    kinds = [
        {"activation": activation, "optimizer": optimizer, "dropout": bool(mask), "mask": mask or [1, 0]}
        for activation in ("Tanh", "Sigmoid")
        for optimizer in ("SGD", "Adam")
        for mask in ([], [1, 0], [0, 1], [1, 1], [0, 0])
    ]
    found = []
    for kind in [*kinds, *kinds]:
        numbers = dict(zip(NAMES, rng.normal(0, 1.5, len(NAMES)).tolist(), strict=True))
        found.append(kind | {"numbers": numbers | {"lr": rng.uniform(0, 0.3), "p": rng.uniform(0.1, 0.9)}})
    return found


@pytest.fixture(scope="session")
def node():
    """Return a function that runs a script of this folder, and returns what it prints, read as JSON."""
    executable = shutil.which("node")
    if executable is None:
        pytest.skip("node is not installed")

    def run(script, given):
        command = [executable, HERE / script]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)  # noqa: S603 - a script of this folder
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def shown(node):
    """Return all that the page computes for these networks: for each, three steps in a row."""
    return node("steps.mjs", networks())


@pytest.fixture(scope="session")
def rounds(shown):
    """Return the steps of all networks in one list."""
    return [one for each in shown["walks"] for one in each]
