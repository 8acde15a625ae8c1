"""The command `minidl sweep`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from minidl_experiments.printing import table_console
from minidl_experiments.progress import say
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.shell import INTERRUPTED, fail, make_folder
from minidl_experiments.sweep.backend import reach
from minidl_experiments.sweep.grid import Definition, Grid
from minidl_experiments.sweep.options import read_sweep
from minidl_experiments.sweep.progress import SweepProgress
from minidl_experiments.sweep.run import run_sweep
from minidl_experiments.sweep.scores import score_grid
from minidl_experiments.sweep.store import Store
from minidl_experiments.sweep.table import print_best

_CONFIG = "TOML file with any of the options above, spelled as in batch_size and p_drop; these win over it."
_GRID, _SHARED, _WHERE = "Grid: values with commas between them", "All runs", "Where"


def _values(words: str, default: str) -> Any:
    """Describe an option of the grid; its text is read later, as a file is."""
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
    seed: Annotated[int | None, _count("The first seed; the others follow it.", 0)] = None,
    epochs: Annotated[int | None, _count("Times that each network sees its points.", Definition.epochs)] = None,
    samples: Annotated[int | None, _count("Points to train on, and as many to test on.", Definition.samples)] = None,
    config: Annotated[Path | None, _where(_CONFIG)] = None,
    out: Annotated[Path, _where("SQLite file of the results; what it has is not repeated.")] = Path("sweep.sqlite"),
    jobs: Annotated[int | None, _where("Processes to train in.", min=1, show_default="one per core")] = None,
    dask: Annotated[str | None, _where("Scheduler of a Dask cluster to train on instead.")] = None,
) -> None:
    """Train a grid of networks, each for several seeds, and find the best.

    All are the report's network on the disk data set: three hidden layers,
    sigmoids on the two outputs, summed squared error. Results go into one
    SQLite file as they finish: a sweep that was stopped goes on where it
    was when it is started again, and a larger grid trains only what is new.
    At the end come a table and, beside the file, a picture.
    """
    if jobs is not None and dask is not None:
        fail("expected --jobs or --dask, got both")
    grid_flags = {"lr": lr, "width": width, "activation": activation, "optimizer": optimizer}
    grid_flags |= {"batch_size": batch_size, "p_drop": p_drop}
    counts = {"seeds": seeds, "seed": seed, "epochs": epochs, "samples": samples}
    grid, store = _open(out, config, grid_flags | counts, dask)
    with store:
        _train(grid, store, jobs, dask)
        _show(grid, store)


def _open(out: Path, config: Path | None, flags: Mapping[str, Any], dask: str | None) -> tuple[Grid, Store]:
    """Read what to train, and open the file for it; make none where nothing can be trained."""
    if out.suffix.lower() == ".png":
        fail(f"--out: expected the name of an SQLite file, got that of a picture, {out}")
    try:
        grid, definition = read_sweep(config, flags)
        reach(dask)
        make_folder(out.parent)
        return grid, Store(out, definition)
    except (ValueError, ImportError, OSError) as error:
        fail(error)


def _train(grid: Grid, store: Store, jobs: int | None, dask: str | None) -> None:
    errors = Console(stderr=True)
    progress = SweepProgress(errors, grid, store.accuracies())
    kept = f"what is finished is in {store.path}: the same command goes on from there"
    try:
        with progress:
            run_sweep(grid, store, jobs=jobs, dask=dask, report=progress.report)
    except KeyboardInterrupt:
        say(errors, f"minidl: interrupted; {kept}")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenProcessPool:
        say(errors, f"minidl: a process was killed, perhaps for want of memory; {kept}")
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:  # the disk is full, the scheduler gone, or the file another sweep's
        say(errors, f"minidl: {error}; {kept}")
        raise typer.Exit(1) from None


def _show(grid: Grid, store: Store) -> None:
    from minidl_experiments.figures import save  # noqa: PLC0415 - matplotlib takes long
    from minidl_experiments.sweep.picture import draw  # noqa: PLC0415 - the same

    console = table_console()
    scores = score_grid(grid, store.accuracies())
    print_best(console, grid, scores)
    drawn = save(draw(grid, scores, store.curves), store.path.with_suffix(".png"))
    say(console, f"wrote {store.path} and {drawn}")
