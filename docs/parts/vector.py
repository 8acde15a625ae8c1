"""Two drawings of the one vector, for a network and for three replicates, made from the network's spec."""

from math import prod

import minidl
from parts.drawing import CELL, TINTS, Box, bracket, cells, line, picture, text
from parts.places import write

LEFT = 96.0


def build(rng: object = 0) -> minidl.Sequential:
    """Build the network of the drawings."""
    return minidl.Sequential([minidl.Linear(2, 3, rng=rng), minidl.ReLU(), minidl.Linear(3, 2, rng=rng)])


def write_drawings() -> None:
    """Write both drawings."""
    write("vector.html", _one(build()))
    write("replicates.html", _many(minidl.replicate(build, range(3))))


def _params(model: minidl.Module) -> list[tuple[str, minidl.ParamSpec]]:
    return [(layer.path, param) for layer in model.spec() for param in layer.params]


def _one(model: minidl.Sequential) -> str:
    parts: list[str] = []
    views_bottom = 40 + 3 * CELL
    values, grads = views_bottom + 46, views_bottom + 46 + CELL + 8
    x = LEFT
    for tint, (path, param) in zip(TINTS, _params(model), strict=True):
        columns, rows = param.shape[-1], prod(param.shape[:-1])
        width = param.size * CELL
        view = Box(x + (width - columns * CELL) / 2, views_bottom - rows * CELL, rows, columns)
        flat = Box(x, values, 1, param.size)
        parts += [*cells(view, tint, param.start), text(view.middle, view.y - 8, f"{path}.{param.name} {param.shape}")]
        parts += [line(view.x, view.bottom, flat.x, flat.y), line(view.right, view.bottom, flat.right, flat.y)]
        parts += [*cells(flat, tint, param.start), *cells(Box(x, grads, 1, param.size), tint)]
        x += width
    parts += [text(LEFT / 2, values + 18, "values"), text(LEFT / 2, grads + 18, "grads")]
    parts += _layers(model, grads + CELL + 6)
    return picture(
        x + 8, grads + CELL + 60, parts, "Four parameters as views into one vector of values and one of gradients"
    )


def _layers(model: minidl.Sequential, y: float) -> list[str]:
    parts = []
    for layer in model.spec():
        if layer.params:
            left, right = (LEFT + CELL * edge for edge in (layer.params[0].start, layer.params[-1].stop))
            parts += bracket(left, right, y, f"{layer.path}: {layer}")
    return [*parts, text(LEFT / 2, y + 22, "layers")]


def _many(model: minidl.Module) -> str:
    top, seeds = 40.0, model.replicate_shape[0]
    parts = [text(LEFT / 2, top + seed * CELL + 18, f"seed {seed}") for seed in range(seeds)]
    x = LEFT
    for tint, (path, param) in zip(TINTS, _params(model), strict=True):
        box = Box(x, top, seeds, param.size)
        parts += [*cells(box, tint), text(box.middle, top - 10, f"{path}.{param.name}")]
        shape = f"({seeds}, {', '.join(map(str, param.shape))})"
        parts += bracket(box.x, box.right, box.bottom + 4, shape)
        x = box.right
    return picture(x + 8, top + seeds * CELL + 40, parts, "Three networks in one vector with a replicate axis in front")
