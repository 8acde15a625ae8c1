"""Import time, installed size and memory, each measured in a new process."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import minidl
from benchmarks.claims import REPRODUCE, REPRODUCE_PEAK
from benchmarks.probes import imports
from benchmarks.rivals.minidl_training import network
from benchmarks.tasks import report_task

PROBE = Path(__file__).parent / "probes" / "memory.py"
IMPORTS = (
    ("numpy", "", 15),
    ("minidl", "numpy", 15),
    ("minidl_data", "numpy", 5),
    ("sklearn.neural_network", "", 2),
    ("jax", "", 2),
    ("torch", "", 2),
)
DISTRIBUTIONS = ("minidl-core", "minidl-data", "minidl-native", "scikit-learn", "jax", "torch")


def probe(work, argument):
    """Measure memory in a new process."""
    command = [sys.executable, PROBE, work, str(argument)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this project's own code
    return json.loads(done.stdout)


@pytest.mark.full
def test_the_report_reproduced(records, tmp_path):
    """Measure `minidl reproduce` with the native engine, if installed, and without."""
    for words, without in (("native", ""), ("on NumPy", "import sys; sys.modules['minidl_native'] = None; ")):
        if words == "native" and not imports.is_installed("minidl_native"):
            continue
        code = f"{without}from minidl_experiments.cli import app; app(['reproduce', '--out', {str(tmp_path)!r}])"
        seconds, megabytes = run_and_measure([sys.executable, "-c", code])
        records.facts[f"{REPRODUCE}, {words}"], records.facts[f"{REPRODUCE_PEAK}, {words}"] = [seconds], [megabytes]


def run_and_measure(command):
    """Run a command; return its duration in seconds and its peak memory in megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - own code
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait again
    assert process.returncode == 0
    return time.perf_counter() - start, used.ru_maxrss / 1024


needs_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="no peak of memory without /proc")


def test_import_time(records, quick):
    there = [row for row in IMPORTS if imports.is_installed(row[0])][: 2 if quick else None]
    taken = {(module, before): [] for module, before, _ in there}
    for turn in range(1 + max(rounds for *_, rounds in there)):
        for module, before, rounds in there:
            if turn <= rounds:
                taken[module, before].append(1e3 * imports.import_seconds(module, before=before))
    for (module, before), values in taken.items():
        words = f"import {module}{' on top of ' + before if before else ''}, ms"
        records.facts[words] = values[1:]  # the first import may include the compilation to bytecode


def test_installed_size(records):
    for name in DISTRIBUTIONS:
        if size := imports.installed_bytes(name):
            records.facts[f"{name} installed with all that it requires, MB"] = [size / 1e6]


def test_size_of_the_report_s_network(records, tmp_path):
    """Measure the files of a network of 1,427 parameters, which take 5,708 bytes, and the code that gcc makes of it."""
    model, bytes_of = network(report_task(epochs=1)), lambda name: [(tmp_path / name).stat().st_size]
    minidl.save(model, tmp_path / "network.safetensors")
    records.facts["the report's network as safetensors, bytes"] = bytes_of("network.safetensors")
    minidl.to_c(model, tmp_path / "network.c")
    records.facts["the report's network as C, bytes of source"] = bytes_of("network.c")
    if imports.is_installed("onnx"):
        minidl.to_onnx(model, tmp_path / "network.onnx")
        records.facts["the report's network as ONNX, bytes"] = bytes_of("network.onnx")
    if shutil.which("gcc") and shutil.which("size"):
        records.facts["the report's network as C, bytes of code and constants"] = [code_size(tmp_path)]


def code_size(folder):
    """Compile the C file of a folder for size; return the bytes of its code and constants."""
    command = ["gcc", "-std=c99", "-Os", "-c", "network.c", "-o", "network.o"]
    subprocess.run(command, check=True, cwd=folder)  # noqa: S603 - a compiler
    done = subprocess.run(["size", "network.o"], check=True, cwd=folder, capture_output=True, text=True)  # noqa: S607 - its place differs
    return int(done.stdout.splitlines()[1].split()[0])


@needs_proc
def test_peak_of_a_training(records):
    for name, work in (("minidl", "training"), ("torch", "torch_training")):
        if imports.is_installed(name):
            found = probe(work, 10)
            records.facts[f"{name}: peak of a training above its start, MB"] = [found["above"]]
            records.facts[f"{name}: peak of the process that trains, MB"] = [found["process"]]


@needs_proc
def test_peak_of_predict(records, quick):
    points = 1_000_000 if quick else 10_000_000
    found = probe("predict", points)
    records.facts[f"predict over {points:,} points: peak above the start, MB"] = [found["above"]]
    records.facts[f"predict over {points:,} points: the output alone, MB"] = [found["output"]]


def test_memory_does_not_grow(records, quick):
    steps = 1000 if quick else 10_000
    found = probe("steps", steps)
    records.facts["memory after 10 steps, bytes"] = [found["after 10"]]
    records.facts[f"memory after {steps:,} steps / after 10"] = [found["after all"] / found["after 10"]]
