"""
Deploy
======

A trained network need not stay in minidl. It can become a module of ``torch.nn``, an ONNX file for the runtimes that
read them, or one file of C for a program without Python. This page does all three with one network, and compares the
outputs and the time for one sample.
"""

import ctypes
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

(x, y), (x_test, y_test) = minidl_data.load_disk(0)
rng = np.random.default_rng(1)
model = minidl.Sequential(
    [
        minidl.Linear(2, 25, rng=rng),
        minidl.BatchNorm1d(25),
        minidl.GELU(),
        minidl.Residual(minidl.Sequential([minidl.Linear(25, 25, rng=rng), minidl.Tanh()])),
        minidl.Linear(25, 2, init="lecun", rng=rng),
    ]
)
loss = minidl.CrossEntropyLoss("mean")
minidl.fit(model, loss, minidl.Adam(model, lr=0.01), x, y, epochs=30, batch_size=50, rng=rng)
print("test accuracy:", minidl.evaluate(model, loss, x_test, y_test).accuracy)

probabilities = minidl.softmax(minidl.predict(model, x_test))
folder = tempfile.TemporaryDirectory()
runs = {"predict": lambda row: minidl.predict(model, row)}


def compare(name, found):
    """Print how far other probabilities are from ours, and fail if that is more than rounding."""
    distance = np.abs(found - probabilities).max() / np.spacing(probabilities.max())
    print(f"{name}: largest difference {distance:.0f} ulp")
    if distance > 16:
        raise AssertionError(f"{name} computes something else")


# %%
# **torch.** ``to_torch`` copies the parameters into a ``torch.nn.Sequential``. torch.nn has no module for a
# ``Residual``, and the error says so. A chain of layers goes there and back with every bit.

try:
    minidl.to_torch(model)
except ValueError as error:
    print(error)
if find_spec("torch") is not None:
    chain = minidl.Sequential([minidl.Linear(2, 25, rng=2), minidl.GELU(), minidl.Linear(25, 2, rng=3)])
    module = minidl.to_torch(chain)
    print(module)
    print("the same bits again:", np.array_equal(minidl.from_torch(module).values, chain.values))

# %%
# **ONNX.** The network ends with logits; ``output="softmax"`` adds the probabilities to the file. ``from_onnx`` reads
# such files again, and those of torch and skl2onnx.

if find_spec("onnxruntime") is not None:
    import onnxruntime

    path = Path(folder.name, "disk.onnx")
    minidl.to_onnx(model, path, output="softmax")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    runs["onnxruntime"] = lambda row: session.run(None, {"x": row})[0]
    compare("onnxruntime", runs["onnxruntime"](x_test))
    print(f"{path.stat().st_size:,} bytes")
    minidl.to_onnx(model, path)  # without the softmax, which is no layer of minidl
    print(repr(minidl.from_onnx(path)))

# %%
# **C.** ``to_c`` writes the parameters as constants, and a function that computes one sample. The end of the file:

source = Path(folder.name, "disk.c")
minidl.to_c(model, source, output="softmax")
print(source.read_text().rpartition("}\n\n")[2])

# %%
# Any compiler of C99 takes the file. Here the function is called from Python, one sample after the other.

compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
if compiler is not None:
    library = source.with_suffix(".so")
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(source), "-o", str(library), "-lm"], check=True)  # noqa: S603 - a compiler
    function = ctypes.CDLL(str(library)).predict
    function.restype = None

    def in_c(rows):
        """Return the probabilities of some rows."""
        out = np.empty((len(rows), 2), np.float32)
        for row, probability in zip(rows, out, strict=True):
            function(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(probability.ctypes.data))
        return out

    compare("C", in_c(x_test))
    print(f"{source.stat().st_size:,} bytes of source, {4 * model.values.size:,} bytes of parameters")
    row, probability = x_test[:1].copy(), np.empty((1, 2), np.float32)
    addresses = ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(probability.ctypes.data)
    runs["C, called by ctypes"] = lambda _: function(*addresses)

# %%
# Left: the probability of the inside, computed in C. Right: the time for one sample, each called from Python on the
# machine that built this page.

grid = np.linspace(0, 1, 101, dtype=np.float32)
points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
inside = (in_c(points) if compiler else minidl.softmax(minidl.predict(model, points)))[:, 1].reshape(101, 101)
microseconds = {}
for name, run in runs.items():
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(500):
            run(x_test[:1])
        rounds.append((time.perf_counter() - start) * 1e6 / 500)
    microseconds[name] = np.median(rounds)
    print(f"{name:20} {microseconds[name]:5.1f} µs")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
image = left.pcolormesh(grid, grid, inside, cmap="gray_r", vmin=0, vmax=1, shading="nearest", rasterized=True)
left.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title="probability of the inside")
left.grid(visible=False)
figure.colorbar(image, ax=left)
right.barh(list(microseconds), list(microseconds.values()), color=["C0", "C1", "C2"][: len(microseconds)])
right.set(xlabel="time for one sample (µs)", xlim=(0, None))
right.invert_yaxis()
right.grid(visible=False, axis="y")
plt.show()
