"""AdamW: Adam with a weight decay of its own (Loshchilov and Hutter, 2019)."""

from __future__ import annotations

from typing import Any

from minidl.layers.module import Module
from minidl.optim.moments import Moments
from minidl.optim.torch_state import Spelling


class AdamW(Moments):
    """Adam whose weight decay acts on the parameters, not through the gradient (Loshchilov and Hutter, 2019).

    In `Adam` the decay is part of the gradient. Eq. 16 divides it by the gradient's root mean square, so a parameter
    with large gradients decays little. Here every parameter decays at the same rate, and the loss's reduction does not
    matter.

    Parameters
    ----------
    model : Module
    lr : float, array of shape replicate_shape, or schedule
        It scales the decay as well.
    beta1, beta2, eps : float or array of shape replicate_shape
        As for `Adam`.
    eps_hat : bool
        As for `Adam`.
    weight_decay : float or array of shape replicate_shape
        Weight decay times the parameters is added to the value of the step.
    clip, decay_biases
        As for `Optimizer`.

    Attributes
    ----------
    m, v : array, shape (*replicate_shape, size)
        First and second moment, laid out as the parameters; assigning copies into them.

    Raises
    ------
    ValueError, TypeError
        As for `Adam`.

    Examples
    --------
    Without a gradient only the decay acts:

    >>> import numpy as np
    >>> import minidl
    >>> layer = minidl.Linear(1, 1)
    >>> layer.values[...] = [2, -4]
    >>> minidl.AdamW(layer, 0.5, weight_decay=0.1).step()
    >>> layer.values
    array([ 1.9, -3.8], dtype=float32)
    """

    spelling = Spelling(
        *Moments.spelling[:2], fixed={"amsgrad": False, "maximize": False, "decoupled_weight_decay": True}
    )

    def __init__(
        self,
        model: Module,
        lr: Any = 1e-3,
        *,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        eps: Any = 1e-8,
        eps_hat: bool = False,
        weight_decay: Any = 0.01,
        clip: Any = None,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            model, lr, beta1=beta1, beta2=beta2, eps=eps, eps_hat=eps_hat, weight_decay=weight_decay, clip=clip,
            decay_biases=decay_biases,
        )  # fmt: skip

    def step(self) -> None:
        """Change the parameters by ``-lr (value + weight_decay parameters)``, with the value of eq. 16 for g."""
        rate = self.next_rate()
        self.model.update(rate, self.plus_decay(self.value_of(self.clipped_gradient())))
        self._t += 1
