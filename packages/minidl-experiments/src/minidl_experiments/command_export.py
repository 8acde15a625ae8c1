"""The command `minidl export`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from minidl_experiments.console import say
from minidl_experiments.shell import check_apart, check_files, fail, home_expanded, make_folder

_MODEL = typer.Argument(
    help="File of a model, as `minidl train data.csv` writes it.", metavar="model", show_default=False
)
_ONNX = typer.Option("--onnx", help="As an ONNX file, with any number of rows.", show_default=False)
_C = typer.Option("--c", help="As one file of C99 without dependencies, row by row.", show_default=False)
_TORCH = typer.Option("--torch", help="As a program of torch.export, with any number of rows.", show_default=False)
_FLOAT64 = typer.Option("--float64", help="Compute in float64 rather than float32.", show_default=False)
_OUT = typer.Option(
    help="File to write; by default it has the name of the model and .onnx, .c or .pt2.", callback=home_expanded
)


def export(
    model: Annotated[Path, _MODEL],
    *,
    onnx: Annotated[bool, _ONNX] = False,
    c: Annotated[bool, _C] = False,
    torch: Annotated[bool, _TORCH] = False,
    float64: Annotated[bool, _FLOAT64] = False,
    out: Annotated[Path | None, _OUT] = None,
) -> None:
    """Write a model of `minidl train data.csv` for programs without minidl.

    Scaling is inside the exported network, which takes columns in their own
    units. One-hot columns and the numbers in place of missing cells are up to
    the program around it; the inputs are printed in their order, and stand
    in the file too.
    """
    chosen = [(name, suffix) for name, suffix, given in _formats(onnx=onnx, c=c, torch=torch) if given]
    if not chosen or (out is not None and len(chosen) > 1):
        fail(f"expected --onnx, --c or --torch{', and one of them beside --out' if chosen else ''}")
    from minidl_experiments.tabular import export as writers  # noqa: PLC0415 - pandas is slow to import
    from minidl_experiments.tabular.model_file import load_model  # noqa: PLC0415 - the same

    console = Console()
    try:
        loaded = load_model(model)
        paths = [out or model.with_suffix(suffix) for _, suffix in chosen]
    except (ValueError, TypeError) as error:
        fail(error)
    for path in paths:
        make_folder(path.parent)
        check_files(path)
        check_apart(path, [model])
    for number, ((name, _), path) in enumerate(zip(chosen, paths, strict=True)):
        try:
            getattr(writers, f"export_{name}")(loaded, path, "float64" if float64 else "float32")
        except (ValueError, TypeError, ImportError) as error:
            _say_written(console, paths[:number])
            fail(error)
    for line in (
        "inputs, in their own units:",
        *writers.input_lines(loaded),
        "outputs:",
        *writers.output_lines(loaded),
    ):
        say(console, line if line.endswith(":") else f"  {line}", "    ")
    if not float64 and (far := writers.far_columns(loaded)):
        say(console, f"note: float32 loses digits of {', '.join(far)}, far from zero: --float64 keeps them", "  ")
    _say_written(console, paths)


def _say_written(console: Console, paths: Iterable[Path]) -> None:
    for path in paths:
        say(console, f"wrote {path}")


def _formats(*, onnx: bool, c: bool, torch: bool) -> list[tuple[str, str, bool]]:
    """Return name, suffix and whether it is asked for, of each format."""
    return [("onnx", ".onnx", onnx), ("c", ".c", c), ("torch", ".pt2", torch)]
