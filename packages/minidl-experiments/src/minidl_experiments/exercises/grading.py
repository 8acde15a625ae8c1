"""Grading: a folder with a sub-folder for each student, and a CSV file with a line for each student and exercise."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TextIO

from minidl_experiments.exercises.checking import Verdict
from minidl_experiments.exercises.exercise import Exercise
from minidl_experiments.exercises.running import check_file

HEADER = "student", "exercise", "passed", "message"


class Submission(NamedTuple):
    """What a student has handed in for an exercise; without a path, nothing."""

    student: str
    exercise: Exercise
    path: Path | None


def find_submissions(folder: Path, exercises: Mapping[str, Exercise]) -> list[Submission]:
    """Return the submissions of all students for all exercises, in order.

    Parameters
    ----------
    folder : pathlib.Path
        With a sub-folder for each student. A file may lie up to two folders deeper; hidden folders are left out.
    exercises : mapping from str to Exercise

    Returns
    -------
    list of Submission
    """
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = []
    for student in students:
        by_name = {path.name: path for path in reversed(_files(student))}  # the highest file of a name
        found += [Submission(student.name, one, by_name.get(one.file_name)) for one in exercises.values()]
    return found


def _files(student: Path) -> list[Path]:
    """Return a student's files, the highest first; a whole virtual environment would hold a file of every name."""
    found = [path for depth in ("", "*/", "*/*/") for path in sorted(student.glob(f"{depth}*.py")) if path.is_file()]
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(student).parts)]


def handed_in(submissions: Sequence[Submission]) -> list[Submission]:
    """Return the submissions for exercises that at least one student has handed in."""
    names = {submission.exercise.name for submission in submissions if submission.path is not None}
    return [submission for submission in submissions if submission.exercise.name in names]


def grade(submissions: Sequence[Submission], time_limit: float, jobs: int = 1) -> Iterator[tuple[Submission, Verdict]]:
    """Check submissions, each in a process of its own, and yield their verdicts in order.

    Parameters
    ----------
    submissions : sequence of Submission
    time_limit : float
        Seconds for each.
    jobs : int
        Number of processes at a time.

    Yields
    ------
    tuple of Submission and Verdict
    """

    def check(submission: Submission) -> Verdict:
        if submission.path is None:
            return Verdict(passed=False, message="not handed in")
        try:
            return check_file(submission.exercise, submission.path, time_limit)
        except OSError as error:
            return Verdict(passed=False, message=f"not checked: {error}")

    pool = ThreadPoolExecutor(jobs)
    try:
        yield from zip(submissions, pool.map(check, submissions), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def write_header(file: TextIO) -> None:
    """Write the first line of the CSV file."""
    csv.writer(file).writerow(HEADER)


def write_grade(file: TextIO, submission: Submission, verdict: Verdict) -> None:
    """Write a line of the CSV file; the message is one line."""
    passed = "yes" if verdict.passed else "no"
    message = " ".join(verdict.message.split())
    csv.writer(file).writerow([_plain(submission.student), submission.exercise.name, passed, _plain(message)])
    file.flush()


def _plain(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: a student may choose the words of an error."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
