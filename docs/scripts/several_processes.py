"""Train one network in as many processes as a launcher starts, or in this one alone."""

import numpy as np

import minidl
import minidl_data
from minidl import distributed

(x, y), test = minidl_data.load_disk(0)
rng = np.random.default_rng(1)  # the same seed in each process: the same weights and orders
model = minidl.Sequential(
    [minidl.Linear(2, 100, rng=rng), minidl.ReLU(), minidl.Dropout(0.1, rng=rng), minidl.Linear(100, 2, rng=rng)]
)
loss, optimizer = minidl.CrossEntropyLoss("mean"), minidl.Adam(model, lr=0.01)

with distributed.group(timeout=60) as group:
    history = minidl.fit(
        model, loss, optimizer, x, y, epochs=30, batch_size=100, validation=test, rng=rng, engine=group
    )
    if group.leads:  # one of the processes prints
        print(f"{history.engine}: accuracy {history.val_accuracy[-1]:.3f}")
