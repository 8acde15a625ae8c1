"""Entry point of ``python -m minidl_experiments``, the command `minidl`."""

from minidl_experiments.cli import app

app(prog_name="minidl")
