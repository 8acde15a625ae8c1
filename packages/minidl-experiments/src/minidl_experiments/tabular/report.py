"""The files of a training: model, settings, scores, pictures and one page of HTML."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from minidl.files.replacing import replacing
from minidl_experiments.plain_json import as_json
from minidl_experiments.tabular.assessment import Assessment
from minidl_experiments.tabular.model_file import save_model
from minidl_experiments.tabular.options import SETTINGS, Options, as_toml
from minidl_experiments.tabular.page import build_page
from minidl_experiments.tabular.pictures import DARK, LIGHT, draw_all
from minidl_experiments.tabular.problem import Problem

PICTURE = re.compile(r"(confusion_matrix|predicted_against_true(_\d+)?)\.png")  # which the task decides


def write_results(folder: Path, problem: Problem, options: Options, found: Assessment) -> list[Path]:
    """Write model, report, pictures, scores and settings into a folder, and return the files.

    Parameters
    ----------
    folder : pathlib.Path
    problem : Problem
    options : Options
        A training with these options gives the same numbers again.
    found : Assessment

    Raises
    ------
    OSError
        If a file cannot be written; the model is the first of them.
    """
    light, dark = (draw_all(problem, found, palette) for palette in (LIGHT, DARK))
    title = f"{', '.join(problem.names)} from {problem.table.sources[0].name}"
    page = build_page(title, problem, options, found, {name: (light[name], dark[name]) for name in light})
    scores = {"interval": found.interval, "scores": [asdict(score) for score in found.scores]}
    contents = {
        "report.html": page.encode("utf-8", "replace"),
        **{f"{name}.png": png for name, png in light.items()},
        "scores.json": as_json(scores).encode(),
        SETTINGS: as_toml(options).encode(),
    }
    model = folder / "model.safetensors"
    save_model(found.model, model)
    try:
        for name, content in contents.items():
            with replacing(folder / name) as file:
                file.write(content)
    except OSError as error:  # a full disk
        what = f"{error.filename}: {error.strerror}; the model is in {model}; other files there may be older"
        raise OSError(what) from error
    return [model, *(folder / name for name in contents)]


def remove_other_pictures(written: list[Path], folder: Path) -> list[Path]:
    """Remove pictures of an earlier training of another task, which would contradict the report; return their paths."""
    old = [path for path in sorted(folder.iterdir()) if PICTURE.fullmatch(path.name) and path not in written]
    for path in old:
        path.unlink()
    return old
