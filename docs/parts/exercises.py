"""The list of the exercises, and what a check says, from the exercises themselves."""

from itertools import groupby

from minidl_experiments.exercises import EXERCISES, Exercise
from minidl_experiments.exercises.checking import check_source
from parts.markdown import table
from parts.places import write

SHOWN = "linear-dweight"  # the exercise of the page
ATTEMPT = "dy.mT @ x / len(x)"  # what its learner has written


def write_exercises() -> None:
    """Write a table of the exercises by topic, the file of one of them, and the check of an attempt."""
    parts = [_topic(topic, list(some)) for topic, some in groupby(EXERCISES.values(), key=lambda one: one.topic)]
    write("exercises/list.md", "\n".join(parts))
    exercise = EXERCISES[SHOWN]
    write("exercises/stub.md", f"```python\n{exercise.stub}```\n")
    write("exercises/check.md", f"```console\n$ minidl exercise check {SHOWN}\n{_check(exercise)}\n```\n")


def _topic(topic: str, exercises: list[Exercise]) -> str:
    rows = [(f"`{one.name}`", one.title) for one in exercises]
    return f"### {topic}\n\n{table(('name', 'exercise'), rows, 'll')}"


def _check(exercise: Exercise) -> str:
    """Return what `minidl exercise check` prints for the attempt."""
    attempt = exercise.source.replace("dy.mT @ x", ATTEMPT)
    verdict = check_source(exercise, attempt, exercise.file_name)
    hint = f"hint {verdict.hint} of {len(exercise.hints)} may help: minidl exercise hint {exercise.name}"
    return f"{exercise.name}: not right yet\n{verdict.message}\n{hint}"
