"""Right answers that are written differently from the solution pass, and expected values are those of differences."""

import numpy as np
import pytest

from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.checking import check_source
from minidl_experiments.exercises.tasks import bugs

ANSWERS = {
    "linear-dx": "def backward(dy, weight): return np.einsum('si,ij->sj', dy, weight)",
    "linear-dweight": "def backward(dy, x): return sum(np.outer(a, b) for a, b in zip(dy, x))",
    "linear-dbias": "def backward(dy): return [sum(column) for column in dy.T]",
    "relu": "def backward(dy, x): return np.where(x > 0, dy, 0)",
    "softplus": (
        "def forward(x): return np.logaddexp(0, x)\ndef backward(dy, x): return dy * np.exp(-np.logaddexp(0, -x))"
    ),
    "mse": "def forward(f, y): return float(np.sum((y - f)**2))\ndef backward(f, y): return (f - y) * 2",
    "softmax": "def softmax(z): return np.exp(z - np.logaddexp.reduce(z, axis=-1, keepdims=True))",
    "momentum": "def step(w, g, v, lr, mu):\n    new = g + mu * v\n    return [w - lr * new, new]",
    "he-weights": "def weights(n_in, n_out, rng): return rng.normal(0, (2 / n_in) ** 0.5, (n_out, n_in))",
    "dropout": (
        "def forward(x, p_drop, training, rng):\n"
        "    mask = np.where(rng.uniform(size=x.shape) < p_drop, 0, 1 / (1 - p_drop)) if training else 1 + 0 * x\n"
        "    return mask * x, mask\n"
        "def backward(dy, mask): return mask * dy"
    ),
    "gradient-check": (
        "def numerical_gradient(f, x, eps):\n"
        "    gradient, flat = np.empty(x.size), x.reshape(-1)\n"
        "    for i in range(x.size):\n"
        "        old = flat[i]\n"
        "        flat[i] = old + eps\n"
        "        above = f(x)\n"
        "        flat[i] = old - eps\n"
        "        gradient[i] = (above - f(x)) / (2 * eps)\n"
        "        flat[i] = old\n"
        "    return gradient.reshape(x.shape)"
    ),
    "training-loop": (
        "def train_epoch(model, loss, optimizer, x, y, batch_size):\n"
        "    values, x, y = [], list(x), list(y)\n"
        "    while x:\n"
        "        f = model.forward(np.array(x[:batch_size]))\n"
        "        values += [float(loss.forward(f, np.array(y[:batch_size])))]\n"
        "        dy = loss.backward()\n"
        "        model.backward(dy, need_dx=False)\n"
        "        optimizer.step()\n"
        "        del x[:batch_size], y[:batch_size]\n"
        "    return np.array(values)"
    ),
    "clipping": (
        "def clip(grads, limit):\n"
        "    norm = np.linalg.norm(np.concatenate([grad.ravel() for grad in grads]))\n"
        "    return tuple(grad * min(1, limit / norm) for grad in grads)"
    ),
    "accuracy": "def accuracy(scores, labels): return np.count_nonzero(np.argmax(scores, 1) == labels) / len(labels)",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_another_right_answer_passes(name):
    verdict = check_source(EXERCISES[name], f"import numpy as np\n{ANSWERS[name]}\n", "learner.py")
    assert verdict.passed, verdict.message


class Recorder:
    """A chain that keeps what it is given."""

    Tanh = Scale = Chain = lambda self, *_: self

    def forward(self, x):
        self.x = x

    def backward(self, dy):
        self.dy = dy


def test_the_gradient_of_the_chain_is_that_of_differences():
    for case in bugs._chain(np.random.default_rng(0)):
        case.run(recorder := Recorder())
        x, dy = recorder.x, recorder.dy
        steps = 1e-6 * np.eye(x.size).reshape(x.size, *x.shape)
        slopes = [(dy * (_chain(x + step) - _chain(x - step))).sum() / 2e-6 for step in steps]
        np.testing.assert_array_equal(case.expected["y"], _chain(x))
        np.testing.assert_allclose(case.expected["dx"], np.reshape(slopes, x.shape), rtol=1e-8, atol=1e-9)


def _chain(x):
    return np.tanh(0.5 * np.tanh(x))
