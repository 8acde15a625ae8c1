"""
Resume after a kill
===================

A machine that is switched off, a queue that ends the job, a process that is killed: a training that writes checkpoints
goes on where it was. ``Checkpoint(path)`` writes everything to one file, and ``fit(..., resume=path)`` goes on from it
when the same script runs again. The end has the bits of a training that was never interrupted.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import minidl
import minidl_data

# %%
# The script is an ordinary one. Only two arguments are there for the checkpoints, a callback and ``resume=``. A file
# that does not exist yet is no error: the training begins. ``epochs`` are those of the whole training.

SCRIPT = """
import hashlib, sys
import numpy as np
import minidl, minidl_data

path = sys.argv[1]
(x, y), test = minidl_data.load_disk(0)
rng = np.random.default_rng(1)
model = minidl.Sequential([
    minidl.Linear(2, 25, rng=rng), minidl.ReLU(), minidl.Dropout(0.1, rng=rng),
    minidl.Linear(25, 2, init="lecun", rng=rng),
])
history = minidl.fit(
    model, minidl.CrossEntropyLoss("mean"), minidl.Adam(model, minidl.CosineSchedule(0.02, 600)), x, y,
    epochs=30, batch_size=50, validation=test, rng=rng, resume=path,
    callbacks=[
        minidl.EarlyStopping(patience=10),
        lambda epoch, history: print(epoch, history.val_loss[-1], flush=True),
        minidl.Checkpoint(path, batches=5),
    ],
)
print("end", hashlib.sha256(model.values.tobytes()).hexdigest()[:16], len(history))
"""

# %%
# Dropout draws in each step, the order of the samples is drawn for each epoch, the learning rate falls with the step,
# and early stopping remembers the best parameters: each of them would begin anew if only the parameters were kept. Here
# the order and dropout even share one generator.
#
# ``batches=5`` writes after every fifth batch, too, so that a kill costs a quarter of an epoch at most.


def run(path, kill_after=None):
    """Run the script, and kill it when it has printed an epoch; return its epochs, and the last line."""
    command = [sys.executable, "-c", SCRIPT, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - the script above
        epochs, line = [], ""
        for line in child.stdout:
            if not line.startswith("end"):
                epochs.append((int(line.split()[0]), float(line.split()[1])))
            if epochs and epochs[-1][0] == kill_after:
                child.kill()
                break
    return epochs, line.strip()


folder = tempfile.TemporaryDirectory()
whole, expected = run(Path(folder.name, "whole.safetensors"))
path = Path(folder.name, "killed.safetensors")
pieces = [run(path, kill_after=epoch)[0] for epoch in (4, 11, 12, 19)]
rest, end = run(path)
pieces.append(rest)
print(expected)
print(end)
if end != expected:
    raise AssertionError("not the same bits")

# %%
# Five processes have made one training. ``kill`` cannot be caught: nothing was written at that moment, and the file is
# the last checkpoint, or the one before while the last was being written.

figure, axes = plt.subplots(figsize=(7.2, 4))
axes.plot(*zip(*whole, strict=True), color="lightgray", lw=7, label="never killed")
for number, piece in enumerate(pieces, start=1):
    axes.plot(*zip(*piece, strict=True), ".-", label=f"process {number}")
    if number < len(pieces):
        axes.axvline(piece[-1][0] + 0.1, color="black", lw=1, ls=":", label="killed" if number == 1 else None)
axes.set(xlabel="epoch", ylabel="test loss", ylim=(0, None))
axes.legend()
plt.show()

# %%
# Once more, after the end: nothing is trained any more, and early stopping gives the best parameters back.

print(run(path))

# %%
# A checkpoint is of one script. Another learning rate, other samples or another layer are an error that names what has
# changed, before anything else has:

(x, y), test = minidl_data.load_disk(0)
model = minidl.Sequential([minidl.Linear(2, 50, rng=0), minidl.ReLU(), minidl.Linear(50, 2, rng=1)])
try:
    minidl.fit(model, minidl.CrossEntropyLoss("mean"), minidl.Adam(model), x, y, epochs=30, batch_size=50, resume=path)
except ValueError as error:
    print(str(error).rpartition(".safetensors: ")[2])
folder.cleanup()
