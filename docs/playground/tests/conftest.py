import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from parts import wasm  # noqa: E402 - the build of the site is no package
from parts.places import GENERATED  # noqa: E402 - as above

SHORT = {"samples": 90, "epochs": 12, "batch": 16}
OWN = json.loads((HERE / "trainings.json").read_text(encoding="utf-8"))
CONFIGS = {name: SHORT | own for name, own in OWN.items()}


@pytest.fixture(scope="session")
def engine():
    """Return the path of the compiled kernels."""
    if not wasm.can_compile():
        pytest.skip("ziglang, the compiler for WebAssembly, is not installed")
    return wasm.compile_engine(GENERATED / "playground")


@pytest.fixture(scope="session")
def node():
    """Return a function that runs a script of this folder, and returns what it prints, read as JSON."""
    executable = shutil.which("node")
    if executable is None:
        pytest.skip("node is not installed")

    def run(script, *arguments, given=None):
        command = [executable, HERE / script, *arguments]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)  # noqa: S603 - a script of this folder
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def ran(engine, node):
    """Return all that the playground computes, trained once."""
    result = node("trainings.mjs", engine, given=list(CONFIGS.values()))
    return result | {"trainings": dict(zip(CONFIGS, result["trainings"], strict=True)), "configs": CONFIGS.values()}


@pytest.fixture(params=CONFIGS)
def trained(request, ran):
    """Return one of the trainings, and its settings."""
    return ran["trainings"][request.param], CONFIGS[request.param]
