"""The command `minidl sweep`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from minidl_experiments import declarations as own
from minidl_experiments.console import say
from minidl_experiments.declarations import MOST_JOBS, TABLE, choice, count, number, option, refuse
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.shell import (
    INTERRUPTED,
    PICTURES,
    check_files,
    fail,
    home_expanded,
    load_figures,
    make_folder,
)
from minidl_experiments.standard_streams import complain
from minidl_experiments.sweep.backend import reach
from minidl_experiments.sweep.grid import Definition, Grid
from minidl_experiments.sweep.options import read_sweep
from minidl_experiments.sweep.progress import SweepProgress
from minidl_experiments.sweep.run import run_sweep
from minidl_experiments.sweep.scores import score_grid
from minidl_experiments.sweep.store import Store
from minidl_experiments.sweep.table import print_best
from minidl_experiments.tabular.choices import Loss, Measure, Missing, Sampler, Schedule, Task

_OWN = (
    "target", "task", "drop", "categorical", "missing", "drop_unlabelled", "test", "cv", "networks", "early_stopping",
    "loss", "quantiles", "clip", "hidden", "weight_decay", "schedule", "random", "optuna", "sampler", "storage",
    "score", "results",
)  # fmt: skip
_DISK = "seeds", "samples"
_CONFIG = "TOML file with any of the options above, such as batch_size = [25, 50]; the command line takes precedence."
_DAMAGES = 10  # damaged records that are named
_OUT = (
    "SQLite file of the results; its runs are not repeated. The picture gets its name and .png. Your data: folder for "
    "the results, the best model and its report."
)
_GRID, _SHARED, _WHERE = "Grid: comma-separated values; your data: also ranges such as 1e-4:1e-1", "All runs", "Where"
_SEARCH = "Your own data: search"

_TEST = number(
    TABLE, "Share of the rows that are held out of the sweep, as a test of the best configuration.", show_default="none"
)
_CV = count(TABLE, "Folds of the cross-validation that scores a configuration.", None, show_default="5")
_LOSS = choice(TABLE, "Loss", Loss, show_default="by the task")
_QUANTILES = option(TABLE, "Quantiles of --loss quantile.", show_default="0.05,0.5,0.95")
_CLIP = number(TABLE, "The largest norm of a gradient.", show_default="no limit")
_HIDDEN = option(
    _SEARCH, "Units of each hidden layer, such as 32,32 or 8:128,8:128; give the option again for another network.",
    show_default="32,32",
)  # fmt: skip
_WEIGHT_DECAY = option(
    _SEARCH, "Multiples of the parameters that are added to the gradient.", show_default="3 / rows, at most 0.01"
)
_SCHEDULE = option(_SEARCH, f"Of the learning rate: {', '.join(Schedule)}.", show_default="constant")
_RANDOM = count(
    _SEARCH, "Number of random configurations, instead of all combinations.", show_default="all combinations"
)
_OPTUNA = count(_SEARCH, "Number of trials of Optuna, which proposes and prunes configurations.", show_default="none")
_SAMPLER = choice(
    _SEARCH, "How Optuna proposes: by the scores so far (tpe), at random, or evenly spread (qmc)", Sampler,
    show_default="tpe",
)  # fmt: skip
_STORAGE = option(
    _SEARCH, "URL of Optuna's storage, such as sqlite:///study.db, or of a database that several machines reach.",
    show_default="optuna.sqlite in the folder",
)  # fmt: skip
_SCORE = choice(_SEARCH, "By what configurations are ordered", Measure, show_default="log-loss for classes, r2")
_RESULTS = option(
    _SEARCH, "File for the table of results, .csv or .parquet.", callback=home_expanded,
    show_default="results.csv in the folder",
)  # fmt: skip
_SEED = "Seed of all that is drawn; disk: the first of the consecutive seeds."
_DASK = "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers train in place of local processes."
_JOBS = count(_WHERE, "Number of processes.", high=MOST_JOBS, show_default="one per core")


def _values(words: str, default: str) -> Any:
    """Declare an option of the grid; `read_sweep` parses its text later."""
    return typer.Option(rich_help_panel=_GRID, help=words, show_default=default)


def _count(words: str, default: int | str) -> Any:
    return count(_SHARED, words, None, show_default=str(default))


def _where(words: str, **more: Any) -> Any:
    return typer.Option(rich_help_panel=_WHERE, help=words, **more)


def sweep(
    data: Annotated[list[str] | None, own.FILES] = None,
    *,
    target: Annotated[list[str] | None, own.TARGET] = None,
    task: Annotated[Task | None, own.TASK] = None,
    drop: Annotated[list[str] | None, own.DROP] = None,
    categorical: Annotated[list[str] | None, own.CATEGORICAL] = None,
    missing: Annotated[Missing | None, own.MISSING] = None,
    drop_unlabelled: Annotated[bool | None, own.UNLABELLED] = None,
    test: Annotated[float | None, _TEST] = None,
    cv: Annotated[int | None, _CV] = None,
    networks: Annotated[int | None, own.NETWORKS] = None,
    early_stopping: Annotated[bool | None, own.STOPPING] = None,
    loss: Annotated[Loss | None, _LOSS] = None,
    quantiles: Annotated[str | None, _QUANTILES] = None,
    clip: Annotated[float | None, _CLIP] = None,
    hidden: Annotated[list[str] | None, _HIDDEN] = None,
    weight_decay: Annotated[str | None, _WEIGHT_DECAY] = None,
    schedule: Annotated[str | None, _SCHEDULE] = None,
    random: Annotated[int | None, _RANDOM] = None,
    optuna: Annotated[int | None, _OPTUNA] = None,
    sampler: Annotated[Sampler | None, _SAMPLER] = None,
    storage: Annotated[str | None, _STORAGE] = None,
    score: Annotated[Measure | None, _SCORE] = None,
    results: Annotated[Path | None, _RESULTS] = None,
    lr: Annotated[str | None, _values("Fixed learning rates.", "0.001; your data: 0.003")] = None,
    width: Annotated[str | None, _values("Units in each of the three hidden layers of the disk.", "25")] = None,
    activation: Annotated[str | None, _values(f"Of the hidden layers: {', '.join(Activation)}.", "relu")] = None,
    optimizer: Annotated[str | None, _values(f"Optimizers: {', '.join(Optimizer)}.", "adam")] = None,
    batch_size: Annotated[str | None, _values("Samples per step.", "50; your data: by the number of rows")] = None,
    p_drop: Annotated[str | None, _values("Probabilities of dropping a hidden unit.", "0")] = None,
    seeds: Annotated[int | None, _count("Disk: networks per configuration.", len(Grid.seeds))] = None,
    seed: Annotated[int | None, _count(_SEED, 0)] = None,
    epochs: Annotated[int | None, _count("Epochs per network.", f"{Definition.epochs}; your data: at most 300")] = None,
    samples: Annotated[int | None, _count("Disk: training and test points, each.", Definition.samples)] = None,
    config: Annotated[Path | None, _where(_CONFIG, callback=home_expanded)] = None,
    out: Annotated[
        Path | None,
        _where(_OUT, callback=home_expanded, show_default="sweep.sqlite; your data: named after the data"),
    ] = None,
    jobs: Annotated[int | None, _JOBS] = None,
    dask: Annotated[str | None, _where(_DASK)] = None,
) -> None:
    """Train networks with many settings, and find the best.

    `minidl sweep data.csv --target y` scores each configuration by
    cross-validation on your own data, writes the table of results, and
    trains the best one on all rows, as `minidl train` does; `--test 0.2`
    holds rows out before, and scores the best one on them. If no values are
    given, three networks and three learning rates are combined. Without data,
    every network is the report's, on the disk data set: three hidden
    layers, sigmoids on the two outputs, summed squared error, for several
    seeds; the command ends with a table and a picture. Either way an SQLite
    file receives each result. A stopped sweep continues from the file when
    it is started again, and a larger grid trains only what is new.
    """
    given = dict(locals())  # before any other variable: the options by their names
    if jobs is not None and dask is not None:
        fail("expected --jobs or --dask, got both")
    if data:
        refuse(given, ("width",), "an option of the disk; for your own data expected --hidden, such as --hidden 32,32")
        refuse(given, _DISK, "an option of the disk, which is swept over without data")
        from minidl_experiments.search.command import search_tables  # noqa: PLC0415 - pandas is slow to import

        search_tables({name: value for name, value in given.items() if name not in (*_DISK, "width")})
        return
    refuse(given, _OWN, "expected data in front of it, such as data.csv")
    out = Path("sweep.sqlite") if out is None else out
    grid_flags = {"lr": lr, "width": width, "activation": activation, "optimizer": optimizer}
    grid_flags |= {"batch_size": batch_size, "p_drop": p_drop}
    counts = {"seeds": seeds, "seed": seed, "epochs": epochs, "samples": samples}
    grid, store = _open(out, config, grid_flags | counts, dask)
    with store:
        _report_damage(grid, store)
        _train(grid, store, jobs, dask)
        _show(grid, store)


def _open(out: Path, config: Path | None, flags: Mapping[str, Any], dask: str | None) -> tuple[Grid, Store]:
    """Parse the options and open the file; create no file if the sweep cannot start."""
    if out.is_dir():
        fail(f"--out: expected the name of an SQLite file, got the folder {out}")
    if out.suffix.lower() in PICTURES:
        fail(f"--out: expected the name of an SQLite file, got that of a picture, {out}")
    try:
        grid, definition = read_sweep(config, flags)
        reach(dask)
        make_folder(out.parent)
        check_files(_picture(out))
        load_figures()
        return grid, Store(out, definition)
    except (ValueError, ImportError, OSError) as error:
        fail(error)


def _report_damage(grid: Grid, store: Store) -> None:
    """Name the damaged records and what happens to them; all other records are kept."""
    runs = set(grid.runs)
    for named, (record, fault, run) in enumerate(store.damaged.values()):
        if named == _DAMAGES:
            complain(f"minidl: {store.path}: {len(store.damaged) - named} more damaged records")
            return
        use = "this sweep trains it again" if run in runs else "it is left out, and a sweep that has it trains it again"
        if run is None:
            use = "it is left out; delete it from the table runs"
        complain(f"minidl: {store.path}: the record with {record} is damaged: {fault}; {use}")


def _picture(out: Path) -> Path:
    """Return the file of the picture: the whole name of the results and .png, so that two sweeps never share it."""
    return out.with_name(f"{out.name}.png")


def _train(grid: Grid, store: Store, jobs: int | None, dask: str | None) -> None:
    errors = Console(stderr=True)
    progress = SweepProgress(errors, grid, store.accuracies())
    kept = f"finished runs are in {store.path}; the same command continues from there"
    try:
        with progress:
            run_sweep(grid, store, jobs=jobs, dask=dask, report=progress.report)
    except KeyboardInterrupt:
        say(errors, f"minidl: interrupted; {kept}")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenProcessPool:
        say(errors, f"minidl: a process was killed, perhaps for lack of memory; {kept}")
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:  # a full disk, a lost scheduler, or a file of another sweep
        say(errors, f"minidl: {error}; {kept}")
        raise typer.Exit(1) from None


def _show(grid: Grid, store: Store) -> None:
    from minidl_experiments.figures import save  # noqa: PLC0415 - matplotlib is slow to import
    from minidl_experiments.sweep.picture import draw  # noqa: PLC0415 - the same

    scores = score_grid(grid, store.accuracies())
    drawn = save(draw(grid, scores, store.curves), _picture(store.path))
    console = Console()
    print_best(console, grid, scores)
    say(console, f"wrote {store.path} and {drawn}")
