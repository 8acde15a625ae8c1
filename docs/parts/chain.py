"""The drawings of the page on the chain rule: a small network with its numbers, and the Jacobian of a linear layer."""

import numpy as np

import minidl
from parts.drawing import CELL, Box, cells, line, row, svg, text

WEIGHTS = (0.6, -0.4, -0.3, 0.8, 0.1, 0.2, 0.5, -0.7, 0.1)  # those that the stepper begins with
COLUMNS, ROWS, RADIUS, WIDTH = (34, 184, 290, 352), (70, 216), 18, 376


def chain() -> str:
    """Draw the network with the value of each node above it and the gradient of the loss below."""
    values, gradients = _step()
    middle = sum(ROWS) / 2
    places = {f"{name}{i + 1}": (x, y) for name, x in zip("xh", COLUMNS, strict=False) for i, y in enumerate(ROWS)}
    places |= {"f": (COLUMNS[2], middle), "L": (COLUMNS[3], middle)}
    edges = [(f"x{j}", f"h{i}", f"w{i}{j}") for i in (1, 2) for j in (1, 2)]
    edges += [("h1", "f", "u1"), ("h2", "f", "u2"), ("f", "L", "")]
    parts = [line(*places[start], *places[end]) for start, end, _ in edges]
    parts += [_weight(places[start], places[end], name, gradients.get(name)) for start, end, name in edges if name]
    for name, place in places.items():
        parts += _node(name, place, values[name], gradients.get(name))
    parts.append(text(WIDTH / 2, 22, "nodes: value above, gradient below; weights: gradient", "drawing-small"))
    title = "The network with all its values, and the gradients of the loss with respect to nodes and weights"
    return row([svg(WIDTH, 272, parts, title)])


def jacobian() -> str:
    """Draw the Jacobian of a linear layer for four samples; elements that are not zero are tinted."""
    samples, inputs, outputs = 4, 3, 2
    parts = [text(168, 16, "Jacobian of a linear layer"), text(168, 34, "12 inputs: 4 samples of 3", "drawing-small")]
    left, top = 12, 44
    parts += cells(Box(left, top, samples * outputs, samples * inputs), "drawing-off")
    for s in range(samples):
        box = Box(left + s * inputs * CELL, top + s * outputs * CELL, outputs, inputs)
        parts += [*cells(box, "drawing-a"), text(box.middle, box.y + CELL + 5, "W")]
    bottom = top + samples * outputs * CELL
    parts.append(text(168, bottom + 18, "8 rows, one for each output; all else is 0", "drawing-small"))
    return row([svg(336, bottom + 28, parts, "The Jacobian has the weights of the layer four times on its diagonal")])


def _step() -> tuple[dict[str, float], dict[str, float]]:
    """Return the values and the gradients of one step, by name."""
    first, last = minidl.Linear(2, 2, dtype="float64"), minidl.Linear(2, 1, dtype="float64")
    network, loss, x = minidl.Sequential([first, minidl.Tanh(), last]), minidl.MSELoss(), np.array([[1, -0.5]])
    network.values[...] = WEIGHTS
    f = network.forward(x)
    value = float(loss.forward(f, np.ones((1, 1))))
    df = loss.backward()
    dx, h = network.backward(df), network[1](first(x))
    dh = df @ last.weight
    names = ("w11", "w12", "w21", "w22", "b1", "b2", "u1", "u2", "c")
    values = dict(zip(("x1", "x2", "h1", "h2", "f", "L"), [*x[0], *h[0], f.item(), value], strict=True))
    gradients = dict(zip(("x1", "x2", "h1", "h2", "f"), [*dx[0], *dh[0], df.item()], strict=True))
    return values, gradients | dict(zip(names, network.grads.tolist(), strict=True))


def _node(name: str, place: tuple[float, float], value: float, gradient: float | None) -> list[str]:
    x, y = place
    circle = f'cx="{x}" cy="{y}" r="{RADIUS}"'
    parts = [f'<circle style="fill: var(--color-background-primary)" {circle}/>']  # hides the ends of the edges
    parts += [f'<circle class="drawing-a" {circle}/>', text(x, y + 5, name)]
    parts.append(text(x, y - RADIUS - 6, _number(value), "drawing-small"))
    return parts if gradient is None else [*parts, text(x, y + RADIUS + 15, _number(gradient), "drawing-small")]


def _weight(start: tuple[float, float], end: tuple[float, float], name: str, gradient: float | None) -> str:
    """Label an edge with the name of its weight and the gradient."""
    share = 0.5 if start[1] == end[1] or end[0] > COLUMNS[1] else 0.33
    x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    words = name if gradient is None else f"{name}: {_number(gradient)}"
    halo = '<g style="paint-order: stroke; stroke: var(--color-background-primary); stroke-width: 5">'
    return f"{halo}{text(x, y + 4, words, 'drawing-small')}</g>"


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
