"""The learner's folder: a file for each exercise that was started, and the progress."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from minidl.files.replacing import replacing
from minidl_experiments.exercises.exercise import Exercise

PROGRESS = "progress.json"


@dataclass
class Progress:
    """The progress in one exercise.

    Parameters
    ----------
    solved : bool
        Whether a check has passed.
    attempts : int
        Number of checks.
    hints : int
        Number of hints shown.
    """

    solved: bool = False
    attempts: int = 0
    hints: int = 0


class Workbook:
    """A folder with exercises in work; a missing folder is an empty one.

    Parameters
    ----------
    folder : pathlib.Path

    Attributes
    ----------
    damage : str
        What was wrong with the file of the progress; empty if nothing was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.damage = folder, ""
        self._progress = self._read()

    def path(self, exercise: Exercise) -> Path:
        """Return the learner's file of an exercise."""
        return self.folder / exercise.file_name

    def progress(self, exercise: Exercise) -> Progress:
        """Return the progress in an exercise, to be changed and saved."""
        return self._progress.setdefault(exercise.name, Progress())

    def start(self, exercise: Exercise) -> Path:
        """Write the file of an exercise.

        Parameters
        ----------
        exercise : Exercise

        Returns
        -------
        pathlib.Path

        Raises
        ------
        FileExistsError
            If the file exists; it may hold work.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path(exercise).open("x", encoding="utf-8") as file:
            file.write(exercise.stub)
        return self.path(exercise)

    def save(self) -> None:
        """Write the progress; a crash leaves the old file or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entries = {name: asdict(progress) for name, progress in self._progress.items() if progress != Progress()}
        with replacing(self.folder / PROGRESS) as file:
            file.write((json.dumps(entries, indent=2) + "\n").encode())

    def _read(self) -> dict[str, Progress]:
        """Read the progress; a file that is none is kept under another name, and damaged entries are left out."""
        path = self.folder / PROGRESS
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
            content = None
        if not isinstance(content, dict):
            kept = path.replace(path.with_suffix(".damaged.json"))
            self.damage = f"{path} is damaged: the progress begins anew, and the file is kept as {kept}"
            return {}
        entries = {name: _entry(values) for name, values in content.items()}
        if bad := [name for name, entry in entries.items() if entry is None]:
            self.damage = f"{path}: damaged entries are left out: {', '.join(bad)}"
        return {name: entry for name, entry in entries.items() if entry is not None}


def _entry(values: Any) -> Progress | None:
    types = {field.name: type(field.default) for field in fields(Progress)}
    if not isinstance(values, Mapping) or any(type(values.get(name)) is not kind for name, kind in types.items()):
        return None
    return Progress(**{name: values[name] for name in types})
