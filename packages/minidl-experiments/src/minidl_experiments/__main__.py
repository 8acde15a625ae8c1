"""``python -m minidl_experiments`` is the command `minidl`."""

from minidl_experiments.cli import app

app(prog_name="minidl")
