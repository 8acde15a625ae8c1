"""Adam (report, section II-D2)."""

from __future__ import annotations

from typing import Any

from minidl.layers.module import Module
from minidl.optim.moments import Moments
from minidl.optim.torch_state import Spelling


class Adam(Moments):
    """Adam: steps of about the same size in every parameter (eq. 14 to 16; Kingma and Ba, 2014).

    Parameters
    ----------
    model : Module
    lr : float, array of shape replicate_shape, or schedule
    beta1, beta2 : float or array of shape replicate_shape
        Decay rates of the first and second moment, in [0, 1).
    eps : float or array of shape replicate_shape
        Added to the root after the bias correction, as in eq. 16 and in torch. In float16 the default is zero, and a
        parameter without gradient becomes nan: give 1e-7 or more.
    eps_hat : bool
        Whether eps is added to the root before the bias correction instead, as TensorFlow, Keras and scikit-learn do:
        ``sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)``, with eps as the ε̂ at the end of section 2 of Kingma
        and Ba (2014). In the first steps this eps weighs more.
    weight_decay : float or array of shape replicate_shape
        Weight decay times the parameters is added to the gradient, and so divided by its root mean square; `AdamW`
        decays the parameters instead. Its effect is relative to the loss's reduction: a mean has smaller gradients
        than a sum, beside which the same decay weighs more.
    clip, decay_biases
        As for `Optimizer`.

    Attributes
    ----------
    m, v : array, shape (*replicate_shape, size)
        First and second moment, laid out as the parameters; assigning copies into them.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`; also for a beta outside [0, 1) or a negative eps.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> layer = minidl.Linear(1, 1, rng=0)
    >>> before = layer.values.copy()
    >>> layer.grads[...] = [100, -0.001]
    >>> minidl.Adam(layer, 0.5).step()
    >>> np.round(layer.values - before, 3)
    array([-0.5,  0.5], dtype=float32)
    """

    spelling = Spelling(
        *Moments.spelling[:2], fixed={"amsgrad": False, "maximize": False, "decoupled_weight_decay": False}
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
        weight_decay: Any = 0.0,
        clip: Any = None,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            model, lr, beta1=beta1, beta2=beta2, eps=eps, eps_hat=eps_hat, weight_decay=weight_decay, clip=clip,
            decay_biases=decay_biases,
        )  # fmt: skip

    def step(self) -> None:
        """Change the parameters by ``-lr value``, with the value of eq. 16 for ``g + weight_decay parameters``."""
        rate = self.next_rate()
        self.model.update(rate, self.value_of(self.gradient()))
        self._t += 1
