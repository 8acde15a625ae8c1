"""Training of a grid of configurations, many networks at once, with the results in one file."""

from minidl_experiments.sweep.grid import Config, Definition, Grid, Run
from minidl_experiments.sweep.run import run_sweep
from minidl_experiments.sweep.scores import Score, score_grid
from minidl_experiments.sweep.store import Store
from minidl_experiments.sweep.train import Result, train_batch

__all__ = [
    "Config",
    "Definition",
    "Grid",
    "Result",
    "Run",
    "Score",
    "Store",
    "run_sweep",
    "score_grid",
    "train_batch",
]
