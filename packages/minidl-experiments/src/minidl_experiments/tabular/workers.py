"""Where `minidl train` trains its networks."""

from __future__ import annotations

from typing import NamedTuple

from minidl_experiments.sweep.backend import reach
from minidl_experiments.tabular.blocks import BlockTraining
from minidl_experiments.tabular.display import TrainingDisplay
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.training import Train, train


class Workers(NamedTuple):
    """Where networks are trained: in this process, in so many processes, or on the workers of a Dask scheduler."""

    jobs: int | None = None
    dask: str | None = None

    def check(self, options: Options) -> None:
        """Raise unless blocks of networks can be trained here."""
        if self == HERE:
            return
        name = "--jobs" if self.dask is None else "--dask"
        if self.jobs is not None and self.dask is not None:
            raise ValueError("expected --jobs or --dask, got both")
        if options.stream:
            raise ValueError(f"--stream: expected no {name} beside it: the rows are read by one process")
        reach(self.dask)

    def train(self, display: TrainingDisplay) -> Train:
        """Return how networks are trained."""
        if self == HERE:
            return train
        return BlockTraining(self.jobs, self.dask, display.blocks, display.lost)


HERE = Workers()
