"""Every check of this repository, one session each: `nox -l` lists them, `nox -s tests` tells whether all is well."""

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import nox

# nox reads this file and runs its sessions in the folder that it lies in.
HERE = Path()
NATIVE = HERE / "packages" / "minidl-native"  # the one that is compiled, and left out where nothing can compile it
COMPILER = shutil.which(os.environ.get("CXX", "c++").split()[0])
CORE, DATA, SKLEARN, EXPERIMENTS = (
    HERE / "packages" / f"minidl-{name}" for name in ("core", "data", "sklearn", "experiments")
)
PACKAGES = sorted(path.parent for path in HERE.glob("packages/*/pyproject.toml") if COMPILER or path.parent != NATIVE)
SOURCES = sorted(path.parent for package in PACKAGES for path in package.glob("src/*/__init__.py"))
# Folders of docs/ that begin with an underscore are made by its build.
DOCS = [path for pattern in ("docs/*.md", "docs/[!_]*/*.md") for path in HERE.glob(pattern)]
PAGES = sorted([HERE / "README.md", *(package / "README.md" for package in PACKAGES), *DOCS])
MODULES = [source.name for source in SOURCES]
TESTS = [package / "tests" for package in PACKAGES]
FOLDERS = ("", "checks/", "checks/*/", "conformance/", "benchmarks/", "docs/", "docs/[!_]*/**/", "packages/*/*/**/")
GUIDED = HERE / "conformance" / "test_contributing.py"
GALLERY = HERE / "docs" / "gallery"  # made by the build of the site
PYTHON_FILES = sorted(path for folder in FOLDERS for path in HERE.glob(f"{folder}*.py") if path.parent != GALLERY)
EXAMPLES = ["--doctest-glob=*.md", *PAGES, "--doctest-modules", "--pyargs", *MODULES]

SETTINGS = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(nox.project.load_toml("packages/minidl-core/pyproject.toml"))
TORCH_PYTHON = "3.11"  # the Python whose environments get torch; the others would each take gigabytes for it

# One folder of sdists and wheels for this run of nox, filled by the session `wheels`, gone when nox ends.
_TEMPORARY = tempfile.TemporaryDirectory(prefix="minidl-wheels-")
WHEELS = Path(_TEMPORARY.name)

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"  # a missing interpreter is skipped here and an error in CI, never fetched
nox.options.error_on_external_run = True
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]

INSTALLED = """
import sys
from importlib.util import find_spec
for module in {modules}:
    origin = find_spec(module).origin
    assert origin.startswith(sys.prefix), f"{{module}} is not the installed one but {{origin}}"
"""

CORE_ALONE = """
import sys
from importlib.metadata import distributions
import minidl
came = {distribution.name for distribution in distributions()} - {"pip", "setuptools", "wheel"}
assert came == {"minidl-core", "numpy"}, f"minidl-core brought {sorted(came)}"
assert "torch" not in sys.modules, "import minidl imported torch"
print("minidl-core brought NumPy and nothing else")
"""


def dependencies(package: Path) -> list[str]:
    """Return what a package needs, without the other packages of this repository."""
    needed = nox.project.load_toml(package / "pyproject.toml")["project"]["dependencies"]
    return [requirement for requirement in needed if not requirement.startswith("minidl")]


def lowest(requirement: str) -> str:
    """Return the requirement of the lowest version: `numpy==2.0.*` for `numpy>=2`."""
    name, _, version = requirement.partition(">=")
    return f"{name}=={version if '.' in version else version + '.0'}.*"


def install_lowest(session: nox.Session, *packages: Path) -> None:
    """Install the lowest versions that packages claim to work with, and print what is there then."""
    session.install("--quiet", *sorted({lowest(need) for package in packages for need in dependencies(package)}))
    versions = "import numpy, sklearn, sys; print(numpy.__version__, sklearn.__version__, sys.version)"
    session.run("python", "-c", versions)


def requirements(*groups: str) -> tuple[str, ...]:
    """Return what the dependency groups of the root pyproject.toml ask for."""
    return nox.project.dependency_groups(SETTINGS, *groups)


def install(session: nox.Session, *groups: str, but: str = "nothing") -> None:
    """Install this run's wheels, but one perhaps, and dependency groups; what is there already is not fetched again.

    The wheels go first and by force, because their version may stay the same while their content changes. Named again
    beside the groups they bring their own requirements, and none of them is ever looked for in a registry.
    """
    wheels = [str(wheel) for wheel in sorted(WHEELS.glob("*.whl")) if not wheel.name.startswith(but)]
    session.install("--quiet", "--no-deps", "--force-reinstall", *wheels)
    session.install("--quiet", *wheels, *requirements(*groups))
    modules = [module for module in MODULES if module != but]
    session.run("python", "-c", INSTALLED.format(modules=modules), silent=True, log=False)


def run_pytest(session: nox.Session, *args: str | Path, env: dict[str, str | None] | None = None) -> None:
    """Run pytest under the settings of the root pyproject.toml; a `-k` that selects nothing is no failure."""
    no_failure = [0, 5] if session.posargs else [0]
    command = ("pytest", "--config-file=pyproject.toml", "--rootdir=.", *args, *session.posargs)
    session.run(*command, success_codes=no_failure, env=env)


def run_spread(session: nox.Session, *args: str | Path) -> None:
    """Run pytest with a worker for each processor; a worker without work takes some from another.

    The processors are busy then, and threads of a BLAS would only wait for each other. Those of the compiled engine,
    which OMP_NUM_THREADS would limit, stay.
    """
    one = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    run_pytest(session, "--numprocesses=auto", "--dist=worksteal", *args, env=one)


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Build every package once for the sessions that need them: an sdist, and the wheel from that sdist.

    The wheel of minidl-native serves every Python. It takes a while, and is kept for as long as its sdist is the same.
    """
    session.install("--quiet", *requirements("build"))
    for package in PACKAGES:
        what = ["--sdist"] if package == NATIVE else []
        session.run("python", "-m", "build", "--no-isolation", f"--outdir={WHEELS}", *what, package, silent=True)
    if not COMPILER:
        session.warn("No C++ compiler was found: minidl-native is neither built nor tested.")
        return
    (sdist,) = WHEELS.glob("minidl_native-*.tar.gz")
    kept = Path(session.virtualenv.location, "native", hashlib.sha256(sdist.read_bytes()).hexdigest())
    if not list(kept.glob("*.whl")):
        session.run("pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", f"--wheel-dir={kept}", sdist)
    shutil.copytree(kept, WHEELS, dirs_exist_ok=True)


@nox.session(python=False, default=False)
def develop(session: nox.Session) -> None:
    """Make an environment in .venv with every package in editable form, for plain `pytest` on the source.

    It has the Python that runs nox, with torch on Python 3.11. After a change in C++, run it again.
    """
    session.run("python", "-m", "venv", ".venv", external=True)
    python = str(Path(".venv", "Scripts" if os.name == "nt" else "bin", "python"))
    on_torch_python = f"{sys.version_info.major}.{sys.version_info.minor}" == TORCH_PYTHON
    groups = requirements("build", "test", "benchmark", *(["torch"] if on_torch_python else []))
    session.run(python, "-m", "pip", "install", "--quiet", *groups, external=True)
    editable = [part for package in PACKAGES for part in ("--editable", str(package))]
    session.run(python, "-m", "pip", "install", "--quiet", "--no-build-isolation", *editable, external=True)
    session.log(f"Activate .venv, or run: {python} -m pytest packages/minidl-core")


@nox.session(python=PYTHONS, requires=["wheels"])
def tests(session: nox.Session) -> None:
    """Run every package's tests and examples against installed wheels, on each Python; then `conformance` and `slow`.

    Options after `--` go to pytest, in the sessions that follow too: `nox -s tests -- -k linear -x`.
    """
    session.notify(f"conformance-{TORCH_PYTHON}")
    session.notify(f"slow-{TORCH_PYTHON}")
    install(session, "test", "exchange")
    run_spread(session, *TESTS, "-m", "not slow", *EXAMPLES)


@nox.session(python=[TORCH_PYTHON], requires=["wheels"])
def slow(session: nox.Session) -> None:
    """Run the tests that take seconds each: whole trainings, commands that are killed or interrupted, a cluster."""
    # One of them builds the engine with a planted fault; torch and MPI carry the messages of processes.
    install(session, "test", "build", "torch", "mpi")
    run_spread(session, *TESTS, "-m", "slow")


@nox.session(python=[TORCH_PYTHON], requires=["wheels"])
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches of core and data their tests reach; below 97 % in either it fails.

    The tests run without the compiled engine first, on the lowest Python and NumPy that the packages claim. Those of
    its door run with it, for what only an engine reaches.
    """
    measured = ["--cov", "--cov-config=pyproject.toml", "--cov-report=", "-m", "not slow"]
    install(session, "test", "torch", "exchange", "coverage", but="minidl_native")
    install_lowest(session, CORE, DATA)
    run_spread(session, CORE / "tests", DATA / "tests", *measured)
    if COMPILER:
        install(session)
        files = "fit", "agreement", "fit_options", "steps", "statistics", "stretch", "epochs_ahead"
        files += "validation_in_fit", "callbacks_ahead"
        # It joins the batches of a stream.
        streams = [CORE / "tests" / name for name in ("test_streams.py", "test_weighted_streams.py")]
        door = [*(NATIVE / "tests" / f"test_{name}.py" for name in files), *streams]
        run_spread(session, *door, *measured, "--cov-append")
    for module in ("minidl", "minidl_data"):
        kept = f"{session.virtualenv.location}/{module}.json"
        session.run("coverage", "report", f"--include=*/{module}/*", "--fail-under=97")
        session.run("coverage", "json", "--quiet", f"--include=*/{module}/*", "-o", kept)
        session.run("python", "checks/branches.py", kept, log=False)


@nox.session(python=PYTHONS[:1], requires=["wheels"])
def minimums(session: nox.Session) -> None:
    """Run the tests of sklearn with the lowest Python, NumPy and scikit-learn; `coverage` does so for core and data."""
    install(session, "test", but="minidl_native")
    install_lowest(session, CORE, SKLEARN)
    run_spread(session, SKLEARN / "tests", "-m", "not slow")


@nox.session(python=[TORCH_PYTHON], default=False)
def mutation(session: nox.Session) -> None:
    """Change every formula of core in every way, and see that a test fails; about twenty minutes on one core.

    A mutant that survives must stand in checks/mutation.toml with a reason. Options after `--` choose some of them:
    `nox -s mutation -- 'minidl.optim.*'`.
    """
    session.install("--quiet", *requirements("test", "torch", "mutation"), "--editable", str(CORE))
    session.run("python", "checks/mutation.py", str(CORE), *session.posargs)


@nox.session(python=PYTHONS[:1], requires=["wheels"], default=False)
def fuzz(session: nox.Session) -> None:
    """Load damaged files of models, which must end in a model or a ValueError, in little memory.

    `nox -s fuzz -- 100000 --seed 3` takes another number of files and another seed.
    """
    install(session)
    session.run("python", "-W", "error", "checks/fuzz.py", *session.posargs)


@nox.session(python=[TORCH_PYTHON], requires=["wheels"])
def sanitize(session: nox.Session) -> None:
    """Run the tests of minidl-native with AddressSanitizer and UndefinedBehaviorSanitizer built into it.

    `CXX=clang++ nox -s sanitize` takes those of Clang.
    """
    if not COMPILER:
        session.skip("No C++ compiler was found.")
    install(session, "test", "build")
    settings = ["cmake.define.MINIDL_SANITIZE=ON", f"build-dir={session.virtualenv.location}/native"]
    options = [f"--config-settings={setting}" for setting in settings]
    session.install("--quiet", "--no-deps", "--force-reinstall", "--no-build-isolation", *options, str(NATIVE))
    names = "libasan.so", f"libclang_rt.asan-{platform.machine()}.so"  # GCC's, and Clang's
    answers = [session.run(COMPILER, f"-print-file-name={name}", external=True, silent=True).strip() for name in names]
    library = next(filter(os.path.isabs, answers))
    # Python itself is not built with them: it needs the library from the start, and never frees all it has.
    environment = {"LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0"}
    run_pytest(session, "--capture=no", "-m", "not slow", NATIVE / "tests", env=environment)


@nox.session(python=[TORCH_PYTHON], requires=["wheels"], default=False)
def kernels(session: nox.Session) -> None:
    """Repeat NumPy's trainings with the kernels of each instruction set and processor, in a program without Python.

    It is built by GCC, Clang and zig, for this processor, for aarch64 (emulated by qemu-user) and as WebAssembly (in
    node); what is not installed is skipped, with a line that says so. `nox -s kernels -- wasm32` takes some of them.
    """
    install(session, "build", "cross")
    session.run("python", "-m", "checks.kernels", *session.posargs)


@nox.session(python=[TORCH_PYTHON], requires=["wheels"])
def conformance(session: nox.Session) -> None:
    """Compare every module, loss and optimizer with torch, and print the table of errors.

    Runs on Python 3.11; `nox -s conformance -P 3.12` takes another. There pip may well choose the build of torch that
    carries CUDA, several gigabytes: point PIP_FIND_LINKS or PIP_INDEX_URL at a CPU build first.
    """
    # The worked examples of CONTRIBUTING.md end with a benchmark, and with an engine that is built.
    install(session, "test", "torch", "exchange", "benchmark", "build")
    # A run of everything leaves its table for the site; without one the site shows docs/conformance/table.json.
    table = [] if session.posargs else ["--table=docs/conformance/latest.json"]
    names = "test_tensors.py", "test_many_tensors.py", "exchange", "distributed/test_equality.py"
    exports = EXPERIMENTS / "tests" / "tabular" / "test_exports.py"
    with_torch = [*(CORE / "tests" / name for name in names), exports]
    run_spread(session, "conformance", f"--ignore={GUIDED}", *with_torch, *table)
    run_pytest(session, GUIDED)  # its tests share what they build, and share the processors themselves


@nox.session(python=[TORCH_PYTHON], requires=["wheels"])
def benchmarks(session: nox.Session) -> None:
    """Measure minidl beside what a user would pick instead, and say which claims hold; some twelve minutes.

    `nox -s benchmarks -- --quick` takes under one. Other options go to pytest too: `-- -k width`. The measurements are
    also kept as JSON under benchmarks/.benchmarks/. `nox -s benchmarks -P 3.12` takes another Python, without torch
    and JAX.
    """
    install(session, "benchmark", *(["torch", "jax"] if session.python == TORCH_PYTHON else []))
    kept = Path("benchmarks", ".benchmarks", f"{session.python}.json")
    kept.parent.mkdir(exist_ok=True)
    # Where these are set, OpenBLAS runs another kernel than the one that it would choose for this processor.
    own_choice = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}
    run_pytest(session, "benchmarks", "--benchmark-quiet", f"--benchmark-json={kept}", env=own_choice)


@nox.session(python=[TORCH_PYTHON], requires=["wheels"])
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build/html, from trainings and examples that it runs; a warning is an error.

    It opens without a server and without the network. `nox -s docs -P 3.12` takes another Python, without torch and the
    examples that need it. The table of conformance is that of the last `nox -s conformance`, the timings are those of
    docs/benchmarks/. The numbers of the playground and of the page `step` are compared with minidl's where node is
    installed. A kernel executes some of the notebooks, the session `notebooks` all.
    """
    install(session, "docs", *(["torch"] if session.python == TORCH_PYTHON else []))
    # Not nitpicky (-n): without the network no other project's names resolve, and every numpy.ndarray would warn.
    session.run("sphinx-build", "-W", "--keep-going", "--fresh-env", "-b", "html", "docs", "docs/_build/html")
    run_spread(session, "docs/playground/tests", "docs/step/tests", "docs/tests", "-m", "not slow")


@nox.session(python=[TORCH_PYTHON], default=False, requires=["wheels"])
def notebooks(session: nox.Session) -> None:
    """Execute every notebook of the built site in a kernel, some minutes; build it first (`nox -s docs`)."""
    install(session, "docs", "torch")
    run_spread(session, "docs/tests", "-k", "kernel")


@nox.session(default=False)
def screenshots(session: nox.Session) -> None:
    """Look at the built site in a browser: screenshots of every page, wide and narrow, light and dark, and checks.

    Build it first (`nox -s docs`). Chromium must be installed. The pictures go into docs/_build/screenshots; what is
    wrong with a page (console errors, overflow, broken links, missing images, failed formulas) is printed and fails.
    Names of pages after `--` look at those alone: `nox -s screenshots -- index report`.
    """
    session.install("--quiet", *requirements("screenshots"))
    session.run("python", "docs/browser", *session.posargs)


@nox.session(requires=["wheels"])
def reproduce(session: nox.Session) -> None:
    """Train the report's networks and draw its figures into reproduction/, on the Python that runs nox.

    Options after `--` go to `minidl reproduce`: `nox -s reproduce -- --out elsewhere`.
    """
    install(session)
    session.run("minidl", "reproduce", "--out", "reproduction", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and spelling; `ruff check --fix` and `ruff format` repair most of what they find.

    Every exception to a rule has its reason beside it.
    """
    session.install("--quiet", *requirements("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("python", "checks/reasons.py", *PYTHON_FILES, log=False)


@nox.session
def size(session: nox.Session) -> None:
    """Print the lines of every file; more than 300 need a reason in pyproject.toml."""
    session.run("python", "checks/size.py", *PYTHON_FILES, log=False)


@nox.session
def citation(session: nox.Session) -> None:
    """Check that CITATION.cff is valid."""
    session.install("--quiet", *requirements("citation"))
    session.run("cffconvert", "--validate", "--infile", "CITATION.cff")


@nox.session(requires=["wheels"])
def types(session: nox.Session) -> None:
    """Check the types of every package's source, strictly."""
    install(session, "types")
    session.run("mypy", *SOURCES)


def check(session: nox.Session) -> None:
    """Check the metadata and the pages of sdists and wheels, and that a wheel holds its package and nothing else."""
    products = sorted(map(str, WHEELS.iterdir()))
    session.install("--quiet", *requirements("check"))
    session.run("twine", "check", "--strict", *products)
    session.run("check-wheel-contents", *(name for name in products if name.endswith(".whl")))


@nox.session(reuse_venv=False, requires=["wheels"])
def build(session: nox.Session) -> None:
    """Put sdists and wheels into dist/, and prove them in an empty environment with the source out of the way.

    minidl-core alone must bring NumPy and nothing else; the others must work without minidl-native, and it beside them.
    `nox -s build -- FOLDER` takes another place than dist/.
    """
    dist = Path(session.posargs.pop(0) if session.posargs else "dist")
    session.install("--quiet", *map(str, WHEELS.glob("minidl_core-*.whl")))
    session.run("python", "-c", CORE_ALONE, log=False)
    with tempfile.TemporaryDirectory() as away:
        shutil.copy("pyproject.toml", away)
        for package in PACKAGES:
            shutil.copytree(package / "tests", Path(away, package, "tests"))
            shutil.copy(package / "README.md", Path(away, package))
        # All tests run in `tests`, against the same wheels; here those that need whatever a package brings.
        some = ("test_package.py", "test_training.py", "test_cli.py")
        install(session, "test", but="minidl_native")
        found = [path for package in PACKAGES for name in some if (path := package / "tests" / name).is_file()]
        with session.chdir(away):
            run_spread(session, *(path for path in found if NATIVE not in path.parents), "-m", "not slow")
        if COMPILER:
            install(session, "test")
            with session.chdir(away):
                run_spread(session, *(path for path in found if NATIVE in path.parents), "-m", "not slow")
    check(session)
    shutil.copytree(WHEELS, dist, dirs_exist_ok=True)


@nox.session(python=[TORCH_PYTHON], requires=["wheels"], default=False)
def release(session: nox.Session) -> None:
    """Put what a release would upload into dist/, which must be empty: sdists and wheels, for every system.

    The package ziglang compiles minidl-native for Linux, macOS and Windows. Each file is checked and, where possible,
    installed and tested here; dist/README.md tells which. `nox -s release -- FOLDER` takes another place, and
    `nox -s release -- FOLDER manylinux` some of the platforms.
    """
    install(session, "build", "cross", "check")
    session.run("pytest", "--config-file=pyproject.toml", "--rootdir=.", "checks/tests")
    session.run("python", "-m", "checks.release", str(WHEELS), *(session.posargs or ["dist"]))
