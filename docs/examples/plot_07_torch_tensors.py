"""
Torch tensors
=============

minidl runs on PyTorch tensors unchanged: the same classes and the same explicit gradients, without autograd. NumPy
draws the random numbers for both libraries, so a seed gives the same network on both.
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
        engine="numpy",  # both trainings run the same Python code
    )
    return model, history


# %%
# Both trainings. The name of the backend includes the device: ``"torch"`` is the CPU, ``"torch:cuda:0"`` a GPU.

model, history = train("numpy")
tensors, history_of_tensors = train("torch")
print(model.values[:3])
print(tensors.values[:3])

# %%
# The two losses coincide in the plot. Their difference is rounding, measured in units in the last place (ulp), about
# 10⁻¹⁶ of a float64 number. It grows slowly, because each step starts from the rounded result of the steps before.

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
# **To torch.nn and back.** A state dict has torch's names, so a ``torch.nn`` network can load it:

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
# The state dict of the ``torch.nn`` network, whose values are tensors, can be loaded here:

model.load_state_dict(twin.state_dict())
print(minidl.evaluate(model, minidl.CrossEntropyLoss(), points, y))

# %%
# A tensor that requires grad raises an error, because autograd would record operations that minidl does not need.

try:
    tensors.forward(torch.ones(1, 2, dtype=torch.float64, requires_grad=True))
except (TypeError, ValueError) as error:
    print(error)
