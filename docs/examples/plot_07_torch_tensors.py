"""
Torch tensors
=============

minidl runs on PyTorch tensors unchanged: the same classes, the same gradients written out by hand, no autograd. A seed
gives the same network on both libraries, since NumPy draws the numbers for both.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

import minidl
import minidl_data

torch.set_num_threads(1)
(x, y), _ = minidl_data.load_disk(0)


def train(backend):
    """Train the report's network, in float64, on one of the libraries."""
    rng, layers = np.random.default_rng(0), []
    for n_in in (2, 25, 25):
        layers += [minidl.Linear(n_in, 25, dtype="float64", backend=backend, rng=rng), minidl.ReLU()]
    layers.append(minidl.Linear(25, 2, dtype="float64", backend=backend, rng=rng))
    model = minidl.Sequential(layers)
    as_array = np.asarray if backend == "numpy" else torch.tensor
    data = as_array(x.astype(np.float64)), as_array(y)
    history = minidl.fit(
        model,
        minidl.CrossEntropyLoss(),
        minidl.Adam(model),
        *data,
        epochs=40,
        batch_size=50,
        rng=np.random.default_rng(1),
        engine="numpy",  # for arrays there may be a compiled engine, which this is not about
    )
    return model, history


# %%
# Both trainings. The device goes with the name of the backend: ``"torch"`` is the CPU, ``"torch:cuda:0"`` a graphics
# card.

model, history = train("numpy")
tensors, history_of_tensors = train("torch")
print(model.values[:3])
print(tensors.values[:3])

# %%
# The two losses lie on each other. What they differ by is rounding, counted here in units in the last place (ulp), of
# which a number in float64 has about 10¹⁶. It grows slowly, since a step starts from where all steps before have led.

losses = history.curve("loss"), history_of_tensors.curve("loss")
difference = np.abs(losses[0] - losses[1]) / np.spacing(losses[0])
epochs = np.arange(1, 41)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.6))
left.plot(epochs, losses[0], lw=4, alpha=0.5, label="NumPy")
left.plot(epochs, losses[1], "--", label="torch")
left.set(xlabel="epoch", ylabel="cross-entropy per sample (nat)", ylim=(0, None))
left.legend()
right.plot(epochs, difference, "o", markersize=4, color="C2")
right.set(xlabel="epoch", ylabel="difference of the losses (ulp)")
plt.show()

# %%
# **To torch.nn and back.** A state dict has torch's names, so a network can go on in torch:

twin = torch.nn.Sequential(
    torch.nn.Linear(2, 25),
    torch.nn.ReLU(),
    torch.nn.Linear(25, 25),
    torch.nn.ReLU(),
    torch.nn.Linear(25, 25),
    torch.nn.ReLU(),
    torch.nn.Linear(25, 2),
).double()
twin.load_state_dict({name: torch.from_numpy(array) for name, array in model.state_dict().items()})
points = x.astype(np.float64)
with torch.no_grad():
    theirs = twin(torch.from_numpy(points)).numpy()
print("largest difference:", np.abs(theirs - minidl.predict(model, points)).max())

# %%
# and come back, as tensors:

model.load_state_dict(twin.state_dict())
print(minidl.evaluate(model, minidl.CrossEntropyLoss(), points, y))

# %%
# A tensor that requires grad is refused: here the gradient is explicit, and autograd would record it for nothing.

try:
    tensors.forward(torch.ones(1, 2, dtype=torch.float64, requires_grad=True))
except (TypeError, ValueError) as error:
    print(error)
