"""The commands `minidl exercise list`, `start`, `check`, `hint`, `solution` and `grade`."""

from __future__ import annotations

import shlex
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.console import print_table, say
from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.exercise import Exercise
from minidl_experiments.exercises.grading import find_submissions, grade, handed_in, write_grade, write_header
from minidl_experiments.exercises.running import TIME_LIMIT, check_file
from minidl_experiments.exercises.workbook import Progress, Workbook
from minidl_experiments.shell import check_files, fail, home_expanded, interrupted, make_folder
from minidl_experiments.standard_streams import complain

exercise = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the exercise.")]
_Folder = Annotated[Path, typer.Option(callback=home_expanded, help="Folder of your files and your progress.")]
_Limit = Annotated[float, typer.Option(min=0.1, help="Seconds after which the code is stopped.")]
_HERE = Path("exercises")


@exercise.callback()
def _main() -> None:
    """Learn backpropagation by writing it: exercises with hints and a check.

    Your code is checked in a process of its own with a time limit, but not
    in a sandbox: it can read and write whatever you can.
    """


@exercise.command("list")
def list_command(folder: _Folder = _HERE) -> None:
    """List the exercises with your progress."""
    workbook, console = _open(folder), Console()
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("name", "exercise", "progress"):
        table.add_column(heading, no_wrap=True)
    topic, solved = "", 0
    for one in EXERCISES.values():
        if one.topic != topic:
            topic = one.topic
            table.add_row("", f"[bold]{topic}[/bold]", "")
        solved += workbook.progress(one).solved
        table.add_row(one.name, one.title, _progress_words(workbook, one))
    print_table(console, table)
    say(console, f"{solved} of {len(EXERCISES)} solved")


@exercise.command("start")
def start_command(name: _Name, folder: _Folder = _HERE) -> None:
    """Write the file of an exercise, with what there is to do; a file that exists is never overwritten."""
    one, workbook = _find(name), _open(folder)
    try:
        path = workbook.start(one)
    except FileExistsError:
        fail(f"{workbook.path(one)} exists and is not overwritten; to check it: {_command('check', one, folder)}")
    say(Console(), f"wrote {path}, which says what to do; then: {_command('check', one, folder)}")


@exercise.command("check")
def check_command(name: _Name, folder: _Folder = _HERE, time_limit: _Limit = TIME_LIMIT) -> None:
    """Check your file of an exercise; exit code 1 if it is not right yet."""
    one, workbook = _find(name), _open(folder)
    path = _started(workbook, one)
    verdict = check_file(one, path, time_limit)
    progress, console = workbook.progress(one), Console()
    progress.attempts += 1
    progress.solved |= verdict.passed
    workbook.save()
    if verdict.printed:
        say(console, f"your code printed:\n{verdict.printed.rstrip()}\n")
    if verdict.passed:
        say(console, f"{one.name}: right{_next(workbook, folder)}")
        return
    say(console, f"{one.name}: not right yet")
    say(console, verdict.message)
    if verdict.hint is not None:
        say(console, f"hint {verdict.hint} of {len(one.hints)} may help: {_command('hint', one, folder)}")
    raise typer.Exit(1)


@exercise.command("hint")
def hint_command(name: _Name, folder: _Folder = _HERE) -> None:
    """Show the next hint of an exercise; after the last one, all of them."""
    one, workbook = _find(name), _open(folder)
    progress, console, count = workbook.progress(one), Console(), len(one.hints)
    shown = range(progress.hints, progress.hints + 1) if progress.hints < count else range(count)
    for index in shown:
        say(console, f"hint {index + 1} of {count}: {one.hints[index]}")
    progress.hints = min(progress.hints + 1, count)
    workbook.save()


@exercise.command("solution")
def solution_command(
    name: _Name,
    folder: _Folder = _HERE,
    yes: Annotated[bool, typer.Option("--yes", help="Show it even if the exercise is not solved.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show the solution of an exercise; asks first if you have not solved it."""
    one, workbook = _find(name), _open(folder)
    if not (yes or workbook.progress(one).solved):
        if not _is_terminal():
            fail(f"{one.name} is not solved yet: --yes shows the solution all the same")
        typer.confirm(f"{one.name} is not solved yet. Show the solution?", abort=True)
    Console().print(one.solution, end="", soft_wrap=True, highlight=False, markup=False)


@exercise.command("grade")
def grade_command(
    submissions: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with a sub-folder for each student.")],
    out: Annotated[Path, typer.Option(callback=home_expanded, help="CSV file of the grades.")] = Path("grades.csv"),
    names: Annotated[
        list[str] | None, typer.Option("--exercise", help="Exercise to grade; repeat it for several.")
    ] = None,
    time_limit: _Limit = TIME_LIMIT,
    jobs: Annotated[int, typer.Option(min=1, help="Checks at a time.")] = 1,
) -> None:
    """Grade a folder of submissions into a CSV file: student, exercise, passed, message.

    Without --exercise, the exercises are those that any student has handed
    in. Each file is checked in a process of its own with a time limit, in an
    empty folder. This is no sandbox: grade code of people you trust, or do
    it in a container or on a machine that you can lose.
    """
    if not submissions.is_dir():
        fail(f"expected a folder with a sub-folder for each student, got {submissions}")
    chosen = {one.name: one for one in map(_find, names)} if names else EXERCISES
    found = find_submissions(submissions, chosen)
    found = found if names else handed_in(found)
    if not found:
        fail(f"{submissions}: expected a sub-folder for each student with files such as linear_dx.py, found none")
    make_folder(out.parent)
    check_files(out)
    passed, done, errors = 0, 0, Console(stderr=True)
    with out.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write_header(file)
        try:
            for submission, verdict in grade(found, time_limit, jobs):
                write_grade(file, submission, verdict)
                done, passed = done + 1, passed + verdict.passed
                if done == len(found) or found[done].student != submission.student:
                    say(errors, f"{submission.student}: checked")
        except KeyboardInterrupt:
            interrupted(f"{done} of {len(found)} checks", out)
    say(Console(), f"{passed} of {len(found)} passed; wrote {out}")


def _find(name: str) -> Exercise:
    """Return the exercise of a name, or of the name of its file; end the command if there is none."""
    plain = name.removesuffix(".py").replace("_", "-").lower()
    if plain not in EXERCISES:
        close = get_close_matches(plain, EXERCISES, 3, 0.5)
        meant = f"did you mean {' or '.join(close)}?" if close else "minidl exercise list shows all"
        fail(f"no exercise has the name {name}: {meant}")
    return EXERCISES[plain]


def _is_terminal() -> bool:
    """Return whether somebody can answer a question."""
    return sys.stdin is not None and sys.stdin.isatty()


def _next(workbook: Workbook, folder: Path) -> str:
    """Return what to start next, as text."""
    left = [one for one in EXERCISES.values() if not workbook.progress(one).solved]
    return f"; next: {_command('start', left[0], folder)}" if left else "; all exercises are solved"


def _command(verb: str, one: Exercise, folder: Path) -> str:
    """Return the command line for an exercise, with the folder if it is not the default."""
    where = "" if folder == _HERE else f" --folder {shlex.quote(str(folder))}"
    return f"minidl exercise {verb} {one.name}{where}"


def _open(folder: Path) -> Workbook:
    if folder.exists() and not folder.is_dir():
        fail(f"--folder: expected a folder, got the file {folder}")
    workbook = Workbook(folder)
    if workbook.damage:
        complain(f"minidl: {workbook.damage}")
    return workbook


def _started(workbook: Workbook, one: Exercise) -> Path:
    path = workbook.path(one)
    if not path.is_file():
        fail(f"{path} does not exist; to write it: {_command('start', one, workbook.folder)}")
    return path


def _progress_words(workbook: Workbook, one: Exercise) -> str:
    progress = workbook.progress(one)
    if progress.solved:
        return f"solved{_hints(progress)}"
    return f"started{_hints(progress)}" if workbook.path(one).exists() else ""


def _hints(progress: Progress) -> str:
    return f", {progress.hints} hint{'s' if progress.hints > 1 else ''}" if progress.hints else ""
