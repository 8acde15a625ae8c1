"""The files of a training: model, settings, scores, pictures and one page of HTML."""

from __future__ import annotations

from pathlib import Path

from minidl.files.replacing import replacing
from minidl_experiments.tabular.assessment import Assessment
from minidl_experiments.tabular.model_file import save_model
from minidl_experiments.tabular.options import Options, as_toml
from minidl_experiments.tabular.problem import Problem


def write_results(folder: Path, problem: Problem, options: Options, found: Assessment) -> list[Path]:
    """Write everything into a folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    model, settings = folder / "model.safetensors", folder / "model.toml"
    save_model(found.model, model)
    with replacing(settings) as file:
        file.write(as_toml(options).encode())
    return [model, settings]
