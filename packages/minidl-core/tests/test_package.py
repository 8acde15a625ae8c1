"""The package as a whole: documented, light to import, and with imports that point one way."""

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import minidl

SOURCE = Path(minidl.__file__).parent
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
MODULES = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in FILES]
PUBLIC = {name: getattr(minidl, name) for name in minidl.__all__}
# Design, section 1: each room imports from itself and from those before it. A file outside the rooms may use all.
ROOMS = ["arrays", "parameters", "layers", "losses", "optim", "files", "training", "exchange"]
# The mathematics does not lean on each other, although the rooms stand in one row.
APART = [("losses", "layers"), ("losses", "parameters"), ("optim", "losses")]
# Inside a room: each file imports only from those before it.
CHAINS = [
    ["arrays.backend", "arrays.samples"],
    ["parameters.buffer", "parameters.layout", "parameters.described", "parameters.tree"],
    ["layers.tools", "layers.module", "layers.linear"],
    ["layers.module", "layers.activations"],
    ["layers.module", "layers.dropout"],
    ["layers.module", "layers.sequential"],
    ["files.replacing", "files.safetensors", "files.model"],
    ["files.records", "files.building", "files.model"],
    ["training.engine", "training.numpy_engine", "training.native_engine", "training.engines", "training.fit"],
]


def room_of(name):
    """Return the room of a module, or nothing for a file outside the rooms."""
    return name.partition(".")[0] if "." in name else ""


@cache
def imports_of(name):
    """Return what a module of the package imports, and at the top level of which packages."""
    tree = ast.parse((SOURCE / f"{name.replace('.', '/')}.py").read_text("utf-8"))
    inside, outside = set(), set()
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module]
        for full in names:
            package, _, rest = full.partition(".")
            (inside if package == "minidl" else outside).add((rest or package, node in tree.body))
    return inside, outside


@cache
def known_to(name):
    """Return the modules that a module imports, directly or through others."""
    known, new = set(), {name}
    while new:
        new = {other for one in new for other, _ in imports_of(one)[0]} - known
        known |= new
    return known


def test_all_public_names_are_there_and_sorted_out():
    assert len(set(minidl.__all__)) == len(minidl.__all__)
    imported = {
        name for name, value in vars(minidl).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert imported == set(minidl.__all__)
    assert minidl.__version__.count(".") == 2


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring_with_its_parameters(name):
    thing = PUBLIC[name]
    text = inspect.getdoc(thing)
    assert text
    assert text.splitlines()[0].endswith((".", "``", "`", ":"))
    described = "\n".join(inspect.getdoc(kind) or "" for kind in getattr(thing, "__mro__", [thing]))
    function = thing if inspect.isfunction(thing) else inspect.getattr_static(thing, "__init__")
    parameters = inspect.signature(function).parameters if inspect.isfunction(function) else ()
    missing = [p for p in parameters if p != "self" and p not in described]
    assert not missing, f"{name} does not describe {missing}"
    if inspect.isfunction(thing):
        assert "Parameters\n-" in text
        assert ("Returns\n-" in text) == (inspect.signature(thing).return_annotation != "None")


def methods():
    for name, thing in PUBLIC.items():
        for attribute, member in vars(thing).items() if inspect.isclass(thing) else ():
            if not attribute.startswith("_") and (callable(member) or isinstance(member, property)):
                yield pytest.param(member, id=f"{name}.{attribute}")


@pytest.mark.parametrize("member", [*methods()])
def test_every_public_method_has_a_docstring(member):
    assert inspect.getdoc(member)


@pytest.mark.parametrize("name", ["minidl", *(f"minidl.{name}" for name in MODULES)])
def test_the_examples_run(name):
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.FAIL_FAST)
    assert outcome.failed == 0


def run(code):
    """Run code in another interpreter, isolated from this one's environment but not from its packages."""
    command = [sys.executable, "-W", "error", "-c", f"import sys; sys.path[:0] = [{str(SOURCE.parent)!r}]; {code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 - a program of our own


def test_import_brings_numpy_and_never_torch():
    loaded = run("import numpy; known = {*sys.modules}; import minidl; print(*{*sys.modules} - known)")
    loaded = {name.partition(".")[0] for name in loaded}
    foreign = loaded - set(sys.stdlib_module_names) - {"minidl", "numpy"}
    assert "minidl" in loaded
    assert not foreign


def test_a_training_without_tensors_does_not_import_torch():
    code = (
        "import numpy as np, minidl; m = minidl.Sequential([minidl.Linear(2, 1), minidl.Dropout(), minidl.Sigmoid()]);"
        "x = np.ones((4, 2), np.float32); y = np.ones((4, 1), np.float32);"
        "minidl.fit(m, minidl.BCELoss(), minidl.Adam(m), x, y, epochs=1, batch_size=2);"
        "minidl.predict(m, x); print('torch' in sys.modules)"
    )
    assert run(code) == ["False"]


@pytest.mark.parametrize("name", MODULES)
def test_only_numpy_and_the_standard_library_are_imported_at_the_top(name):
    for package, at_the_top in imports_of(name)[1]:
        allowed = {"numpy", *sys.stdlib_module_names} if at_the_top else {"torch", "mpi4py"}
        assert package.partition(".")[0] in allowed


@pytest.mark.parametrize("name", MODULES)
def test_no_module_knows_itself_or_the_whole(name):
    assert not known_to(name) & {name, "minidl"}


def test_every_folder_is_a_room():
    assert {room_of(name) for name in MODULES} - {""} == set(ROOMS)


@pytest.mark.parametrize("name", [name for name in MODULES if room_of(name)])
def test_the_rooms_are_stacked(name):
    below = ROOMS[: ROOMS.index(room_of(name)) + 1]
    assert {room_of(other) for other in known_to(name)} <= set(below)


@pytest.mark.parametrize(("room", "other"), APART)
def test_some_rooms_do_not_know_each_other(room, other):
    for name in MODULES:
        if room_of(name) == room:
            assert other not in {room_of(known) for known in known_to(name)}


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain[-1])
def test_the_imports_of_a_room_point_one_way(chain):
    assert set(chain) <= set(MODULES)
    for place, name in enumerate(chain):
        assert not known_to(name) & set(chain[place:])


# The comparison of NumPy with the engine builds a network of its own.
WITH_KINDS = {"training.agreement", "training.engines", "training.evaluate", "training.fit", "training.predict"}
WITH_KINDS |= {"training.loop", "training.notes", "training.train_step", "training.validation"}


def test_training_does_not_ask_for_a_layer_or_a_loss_of_a_kind():
    kinds = {name for name in MODULES if room_of(name) in {"layers", "losses", "optim"}}
    bases = {"layers.module", "layers.tools", "losses.loss", "losses.reduction"}
    bases |= {"optim.optimizer", "optim.exchange", "optim.rates", "optim.schedule", "optim.state", "optim.torch_state"}
    for name in MODULES:
        if room_of(name) == "training":
            known = known_to(name) if name not in WITH_KINDS else {other for other, _ in imports_of(name)[0]}
            assert name == "training.agreement" or not known & (kinds - bases)


def names_read(tree):
    """Iterate over the underscore names that are read from something else than self or cls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            owner = node.value
            if not (isinstance(owner, ast.Name) and owner.id in {"self", "cls"}):
                yield ast.unparse(node)


# The base classes of the tree read the slices of the modules below them, which are of their own class.
FAMILY = {"parameters.layout", "parameters.freezing", "parameters.described", "parameters.tree", "layers.module"}
OWN_CLASS = {"sys._getframe", "_Numbers._make"}


@pytest.mark.parametrize("name", [name for name in MODULES if name not in FAMILY])
def test_no_module_reads_the_underscore_names_of_another_class(name):
    tree = ast.parse((SOURCE / f"{name.replace('.', '/')}.py").read_text("utf-8"))
    assert not set(names_read(tree)) - OWN_CLASS


def test_type_hints_are_shipped():
    assert (SOURCE / "py.typed").is_file()
