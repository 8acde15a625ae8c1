"""The network as C, as minidl.to_c writes it: one call for each sample, in a loop that is C too."""

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import minidl
from benchmarks.rivals.minidl_training import network

LOOP = """
void predict_rows(const float *x, float *y, int rows)
{{
    for (int i = 0; i < rows; i++)
        predict(x + i * {n_in}, y + i * {n_out});
}}
"""
FLAGS = ("-std=c99", "-O2", "-shared", "-fPIC")


def forward(task):
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "network.c"), Path(folder, "network.so")
        minidl.to_c(network(task), source)
        with source.open("a") as file:
            file.write(LOOP.format(n_in=task.widths[0], n_out=task.widths[-1]))
        subprocess.run(["gcc", *FLAGS, str(source), "-o", str(library), "-lm"], check=True)  # noqa: S603, S607 - a compiler
        function = ctypes.CDLL(str(library)).predict_rows
    x = np.ascontiguousarray(task.x)

    def run():
        y = np.empty((len(x), task.widths[-1]), np.float32)
        function(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data), len(x))
        return y

    return run
