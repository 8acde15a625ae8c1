"""The command `minidl sweep`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from minidl_experiments.console import say
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

_CONFIG = "TOML file with any of the options above, spelled batch_size and p_drop; the command line takes precedence."
_DAMAGES = 10  # damaged records that are named
_OUT = "SQLite file of the results; its runs are not repeated. The picture gets its name and .png."
_GRID, _SHARED, _WHERE = "Grid: comma-separated values", "All runs", "Where"


def _values(words: str, default: str) -> Any:
    """Declare an option of the grid; `read_sweep` parses its text later."""
    return typer.Option(rich_help_panel=_GRID, help=words, show_default=default)


def _count(words: str, default: int) -> Any:
    return typer.Option(rich_help_panel=_SHARED, help=words, show_default=str(default))


def _where(words: str, **more: Any) -> Any:
    return typer.Option(rich_help_panel=_WHERE, help=words, **more)


def sweep(
    *,
    lr: Annotated[str | None, _values("Fixed learning rates.", "0.001")] = None,
    width: Annotated[str | None, _values("Units in each hidden layer.", "25")] = None,
    activation: Annotated[str | None, _values(f"{', '.join(Activation)}.", "relu")] = None,
    optimizer: Annotated[str | None, _values(f"{', '.join(Optimizer)}.", "adam")] = None,
    batch_size: Annotated[str | None, _values("Samples per step.", "50")] = None,
    p_drop: Annotated[str | None, _values("Probabilities of dropping a hidden unit.", "0")] = None,
    seeds: Annotated[int | None, _count("Networks per configuration.", len(Grid.seeds))] = None,
    seed: Annotated[int | None, _count("First of the consecutive seeds.", 0)] = None,
    epochs: Annotated[int | None, _count("Epochs per network.", Definition.epochs)] = None,
    samples: Annotated[int | None, _count("Training points, and as many test points.", Definition.samples)] = None,
    config: Annotated[Path | None, _where(_CONFIG, callback=home_expanded)] = None,
    out: Annotated[Path, _where(_OUT, callback=home_expanded)] = Path("sweep.sqlite"),
    jobs: Annotated[int | None, _where("Number of processes.", min=1, show_default="one per core")] = None,
    dask: Annotated[str | None, _where("Address of a Dask scheduler, in place of local processes.")] = None,
) -> None:
    """Train a grid of networks, each for several seeds, and find the best.

    Every network is the report's, on the disk data set: three hidden
    layers, sigmoids on the two outputs, summed squared error. One SQLite
    file receives each batch of results. A stopped sweep continues from the
    file when it is started again, and a larger grid trains only the new
    runs. The command ends with a table and, next to the file, a picture.
    """
    if jobs is not None and dask is not None:
        fail("expected --jobs or --dask, got both")
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
    for number, (record, fault, run) in enumerate(store.damaged.values()):
        if number == _DAMAGES:
            complain(f"minidl: {store.path}: {len(store.damaged) - number} more damaged records")
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
