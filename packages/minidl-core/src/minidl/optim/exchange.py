"""The part of an optimizer that hands out its state and takes one over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from minidl.arrays.backend import Array, get_backend
from minidl.arrays.watched import Watched
from minidl.layers.module import Module
from minidl.optim.state import OptimizerState, writable
from minidl.optim.torch_state import Spelling, TorchState


class Exchange(metaclass=Watched):
    """The state of an optimizer; see `Optimizer`, which derives from this class.

    Attributes
    ----------
    spelling : Spelling
        The names that torch gives to settings and vectors.
    """

    settings: ClassVar[tuple[str, ...]]
    vectors: ClassVar[tuple[str, ...]]
    spelling: ClassVar[Spelling] = Spelling()
    model: Module
    t: Any
    lr: Any
    eta: Any

    def state(self) -> OptimizerState:
        """Return the optimizer as data; a clip of None is infinity there."""
        values = ((name, getattr(self, name)) for name in self.settings)
        settings = {name: math.inf if value is None else value for name, value in values}
        return OptimizerState(type(self).__name__, settings, {name: getattr(self, name) for name in self.vectors})

    def load_state(self, state: OptimizerState, *, t: int, lr: float | np.ndarray | None = None) -> None:
        """Take over the settings and vectors of an optimizer of the same kind; the reverse of `state`.

        Parameters
        ----------
        state : OptimizerState
            A vector that is None is zero. Arrays of either library will do.
        t : int
            Number of steps made.
        lr : float or array of shape replicate_shape, optional
            Learning rate; without it `lr`, `kappa` and `eta` stay as they are.

        Raises
        ------
        ValueError, TypeError
            For another kind, other names, a setting out of its bounds or a vector of another shape. Nothing has
            changed then.
        """
        who = type(self).__name__
        names, given = {*self.settings, *self.vectors}, {*state.settings, *state.vectors}
        if state.kind != who or given != names:
            raise ValueError(f"{who}: expected a {who} of {sorted(names)}, got {state.kind} of {sorted(given)}")
        kept = {name: None if one is None else self.as_vector(name, one) for name, one in state.vectors.items()}
        # On a blank twin the settings are checked in the order of the constructor, each beside those before it.
        twin = object.__new__(type(self))
        twin.model, twin.t = self.model, t
        for name in self.settings:
            value = state.settings[name]
            setattr(twin, name, None if name == "clip" and np.ndim(value) == 0 and value == math.inf else value)
        if lr is not None:
            twin.lr = lr
        vars(self).update(vars(twin))
        for name, vector in kept.items():
            if vector is not None or getattr(self, name) is not None:
                setattr(self, name, self.model.backend.xp.zeros_like(self.model.values) if vector is None else vector)

    def state_dict(self, *, backend: str | None = None) -> dict[str, Any]:
        """Return settings and memory in the shape of a state dict of torch, with which a training goes on there.

        Parameters
        ----------
        backend : {"numpy", "torch", "torch:DEVICE"}, optional
            The library of the arrays, without it the model's. ``load_state_dict`` of torch takes tensors alone.

        Returns
        -------
        dict
            ``"state"`` has the memory of each parameter, such as ``exp_avg``, by its number; ``"param_groups"`` has the
            settings under torch's names. Arrays are copies.

        Notes
        -----
        The parameters are those of ``model.params()``, in one group. With ``decay_biases=False`` those with fewer than
        two axes form a second group, whose weight decay is zero; where layers have their own learning rates, there is a
        group for each rate. The learning rate of a schedule is that of the next step.

        torch keeps `clip`, `eps_hat` and `decay_biases` in the groups without heeding them: clip the gradient there
        with ``clip_grad_norm_``. torch's SGD counts no steps, so set `t` when a training with a schedule comes back.

        Examples
        --------
        >>> import minidl
        >>> optimizer = minidl.Adam(minidl.Linear(2, 1))
        >>> state = optimizer.state_dict()
        >>> {name: value if name == "step" else value.shape for name, value in state["state"][0].items()}
        {'step': 0.0, 'exp_avg': (1, 2), 'exp_avg_sq': (1, 2)}
        >>> state["param_groups"][0]["betas"], state["param_groups"][0]["params"]
        ((0.9, 0.999), [0, 1])
        """
        library = self.model.backend if backend is None else get_backend(backend, type(self).__name__)
        return self._in_torch().write(int(self.t), self.next_rate(), library)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over settings and memory from a state dict, of torch's optimizer of the same kind or of `state_dict`.

        The learning rate is taken over if this optimizer has a number, or one per replicate: a schedule, `kappa` and
        `eta`, and the layers' own rates stay as they are. So do `clip`, `eps_hat` and `decay_biases` if the dict has
        none. Frozen parameters may have made another number of steps.

        Parameters
        ----------
        state_dict : mapping
            Arrays of either library and any floating dtype will do.

        Raises
        ------
        ValueError, TypeError
            If it is of another kind of optimizer, or of other groups, parameters or shapes; for a setting of torch's
            that changes the steps and does not exist here, such as ``amsgrad``. Nothing has changed then.
        """
        state, lr, t = self._in_torch().read(state_dict)
        has_number = self.lr is not None and not callable(self.lr)
        self.load_state(state, t=t, lr=lr if has_number else None)

    def not_finite(self) -> dict[str, np.ndarray]:
        """Return the vectors that are nan or infinite somewhere, such as a second moment that overflowed.

        Returns
        -------
        dict of str to array of bool, shape replicate_shape
            By the name of the vector, the replicates for which it is not finite.
        """
        backend, found = self.model.backend, {}
        for name, vector in self.state().vectors.items():
            if vector is not None:
                lost = ~backend.to_numpy(backend.xp.isfinite(vector).all(-1))
                if lost.any():
                    found[name] = lost
        return found

    def forget(self, replicates: np.ndarray) -> None:
        """Set the memory of some replicates to zero, as at the start.

        Parameters
        ----------
        replicates : array of bool, shape replicate_shape
        """
        for vector in self.state().vectors.values():
            if vector is not None:
                vector[replicates] = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a pickled state; a vector that may not be written to, as joblib maps it from a file, is copied."""
        own = {name: writable(value) for name, value in state.items()}
        self.__dict__.update(own)

    def as_vector(self, name: str, array: Array) -> Array:
        """Return a copy of an array that is laid out as the parameters, in their library and dtype.

        Raises
        ------
        ValueError
            If it has another shape.
        """
        shape = tuple(self.model.values.shape)
        if np.shape(array) != shape:
            raise ValueError(
                f"{type(self).__name__}: expected {name} laid out as the parameters, {shape}, got {np.shape(array)}"
            )
        return self.model.backend.asarray(array, self.model.dtype)

    def next_rate(self) -> Any:
        """Return the learning rate of the next step, None for each layer's own; see `Optimizer`."""
        raise NotImplementedError

    def _in_torch(self) -> TorchState:
        return TorchState(self.model, self.spelling, self.state(), own_rates=self.lr is None and self.eta is None)
