"""The experiments of the report behind minidl, trained for many seeds at once, and the command that runs them."""

from minidl_experiments.data import Data, Samples, draw, streams
from minidl_experiments.network import build_network, build_optimizer
from minidl_experiments.settings import Activation, Loss, Optimizer, Settings, Steps
from minidl_experiments.training import Curves, Training

__version__ = "0.1.0"

__all__ = [
    "Activation",
    "Curves",
    "Data",
    "Loss",
    "Optimizer",
    "Samples",
    "Settings",
    "Steps",
    "Training",
    "build_network",
    "build_optimizer",
    "draw",
    "streams",
]
