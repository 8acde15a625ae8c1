"""Hidden units that are dead after a training."""

from __future__ import annotations

import numpy as np

import minidl

MOST_PROBED = 20_000  # rows that tell which units are dead


def dead_layers(model: minidl.Module, x: np.ndarray) -> list[tuple[str, float, int]]:
    """Return the layers with dead units, with their share, a mean over the networks, and the units of a layer."""
    found, units = [], 0
    for layer, record in zip(minidl.probe(model, x).layers, model.spec(), strict=True):
        units = record.out_features or units
        share = float(np.mean(layer.outputs.get("dead", 0.0)))
        if share:
            found.append((f"{layer.layer} (layer {layer.path})", share, units))
    return found
