"""Measurement of memory in a new process: `python memory.py WORK ARGUMENT` prints the results as JSON."""

import copy
import gc
import json
import sys
import tracemalloc
from pathlib import Path

import minidl as md
import minidl_data

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
SAMPLES, BATCH, WIDTHS = 1000, 50, (2, 25, 25, 25, 2)


def resident(which):
    """Return VmRSS, the current resident memory, or VmHWM, its peak, in megabytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def peak(work):
    """Return the peak memory of the work above the memory in use before, and the peak of the process."""
    before = resident("VmRSS")
    CLEAR.write_text("5")  # resets the peak
    work()
    return {"above": resident("VmHWM") - before, "process": resident("VmHWM")}


def network():
    layers = [layer for n in WIDTHS[:-2] for layer in (md.Linear(n, 25, rng=n), md.ReLU())]
    return md.Sequential([*layers, md.Linear(25, 2, rng=0), md.Sigmoid()])


def data():
    x, y = minidl_data.make_disk(SAMPLES, rng=0)
    return x, minidl_data.one_hot(y)


def training(epochs):
    model, (x, y) = network(), data()
    optimizer, loss = md.Adam(model), md.MSELoss()
    return peak(lambda: md.fit(model, loss, optimizer, x, y, epochs=epochs, batch_size=BATCH, rng=0))


def torch_training(epochs):
    import torch  # noqa: PLC0415 - a process that measures minidl must not import torch

    torch.set_num_threads(1)
    nn = torch.nn
    layers = [layer for n in WIDTHS[:-2] for layer in (nn.Linear(n, 25), nn.ReLU())]
    model, (x, y) = nn.Sequential(*layers, nn.Linear(25, 2), nn.Sigmoid()), map(torch.from_numpy, data())
    optimizer, loss = torch.optim.Adam(model.parameters(), fused=True), nn.MSELoss(reduction="sum")

    def train():
        for _ in range(epochs):
            order = torch.randperm(SAMPLES)
            for rows in order.split(BATCH):
                optimizer.zero_grad()
                loss(model(x[rows]), y[rows]).backward()
                optimizer.step()

    return peak(train)


def predict(points):
    model, (x, _) = network(), minidl_data.make_disk(points, rng=0)
    return peak(lambda: md.predict(model, x)) | {"output": points * 2 * 4 / 2**20}


def steps(count):
    """Return the bytes that Python and NumPy hold after 10 and after `count` steps."""
    model, (x, y) = network(), data()
    optimizer, loss, x, y = md.Adam(model), md.MSELoss(), x[:BATCH], y[:BATCH]

    def hold_after(repeat):
        for _ in range(repeat):
            loss.forward(model.forward(x), y)
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()
        gc.collect()  # reference cycles live until a collection
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    model, loss, optimizer = copy.deepcopy((model, loss, optimizer))  # so that tracemalloc sees the parameters
    return {"after 10": hold_after(10), "after all": hold_after(count - 10)}


if __name__ == "__main__":
    work, argument = sys.argv[1:]
    sys.stdout.write(json.dumps(globals()[work](int(argument))))
