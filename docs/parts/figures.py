"""The drawings of the pages; each page includes its own."""

from collections.abc import Callable
from functools import partial

from joblib import Parallel, delayed

import minidl
from parts import chain, curves, dead, depth, graph, grids, overfitting, paths, ravine
from parts.places import write

FIGURES: dict[str, Callable[[], str]] = {
    "linear": grids.linear,
    "relu": partial(curves.activation, minidl.ReLU(), range(-1, 5)),
    "leaky_relu": partial(curves.activation, minidl.LeakyReLU(0.1), range(-1, 5)),
    "tanh": partial(curves.activation, minidl.Tanh(), (-1, -0.5, 0, 0.5, 1)),
    "sigmoid": partial(curves.activation, minidl.Sigmoid(), (0, 0.25, 0.5, 0.75, 1)),
    "smooth": curves.smooth,
    "dropout": grids.dropout,
    "normalization": grids.normalization,
    "sequential": grids.sequential,
    "residual": grids.residual,
    "concat": grids.concat,
    "mse": curves.mse,
    "bce": curves.bce,
    "bce_with_logits": curves.bce_with_logits,
    "cross_entropy": curves.cross_entropy,
    "robust": curves.robust,
    "quantile": curves.quantile,
    "poisson": curves.poisson,
    "gaussian": curves.gaussian,
    "weights": curves.weights,
    "clipping": curves.clipping,
    "sgd": paths.sgd,
    "rmsprop": paths.rmsprop,
    "adam": paths.adam,
    "adamw": paths.adamw,
    "chain": chain.chain,
    "jacobian": chain.jacobian,
    "graph": graph.graph,
    "depth_relu": depth.relu,
    "depth_tanh": depth.tanh,
    "vanishing": depth.vanishing,
    "dead": dead.dead,
    "overfitting": overfitting.curves,
    "remedies": overfitting.remedies,
    "ravine_straight": ravine.straight,
    "ravine_curved": ravine.curved,
}


def write_figures() -> None:
    """Write all drawings; some train networks, on all processors."""
    drawn = Parallel(n_jobs=-1)(delayed(draw)() for draw in FIGURES.values())
    for name, text in zip(FIGURES, drawn, strict=True):
        write(f"figures/{name}.html", text)
