"""The base class of all layers and networks: forward, backward, update (report, section II)."""

from __future__ import annotations

import copy
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any, Self

import numpy as np

from minidl.arrays.backend import Array, Backend, backend_of, describe
from minidl.arrays.checks import NON_NEGATIVE, as_number
from minidl.arrays.settings import number
from minidl.layers.tools import ModuleTools


class Module(ModuleTools, ABC):
    """A differentiable function with parameters.

    A module of your own derives from this class and writes `forward` and `backward`. It declares its parameters by
    their initial values, which this constructor copies into one :class:`ParamBuffer`. Then

    - ``self.param(name)`` is a parameter, with the replicate axes in front: index it from the right;
    - ``self.broadcast_param(name, x)`` is a parameter of the features, shaped to multiply x;
    - ``self.check_input(x, features)`` refuses an x that is not like the parameters, or of another width;
    - ``self.save_for_backward(y, *needed)`` in `forward` saves what `backward` needs, and returns y;
    - ``self.saved(dy)`` in `backward` checks dy and returns what was saved;
    - ``self.accumulate_grad(name, function, *args)`` adds to a gradient, with ``self.sum_samples`` for sums over
      samples; a gradient must not be written in any other way;
    - ``settings`` names the attributes that are numbers and may differ between replicates.

    A view of a parameter must not be kept as an attribute, because parameters move when the module becomes part of a
    network; `cache_views` is the place for views that are worth keeping. A container passes its children instead of
    parameters: their parameters move into its buffer.

    Parameters
    ----------
    params : mapping of str to ndarray, optional
        Initial values of the module's own parameters, without replicate axes.
    children : mapping of str to Module, optional
        The modules inside this one, in the order in which they are applied.
    lr : float, optional
        The learning rate that `update` uses when it is given none.
    dtype : optional
        float16, float32 (the default) or float64, as a name or a dtype of either library. A container takes it, and
        the backend, from its children.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional

    Raises
    ------
    ValueError
        If a child is part of another module already, or twice in this one, or if the children differ in backend, dtype
        or replicate shape; if a child keeps a view of its parameters as an attribute.

    Examples
    --------
    A module of one's own, y = scale * x:

    >>> import numpy as np
    >>> import minidl
    >>> class Scale(minidl.Module):
    ...     def __init__(self, features, dtype="float32"):
    ...         super().__init__({"scale": np.ones(features)}, dtype=dtype)
    ...
    ...     def forward(self, x):
    ...         return self.save_for_backward(x * self.broadcast_param("scale", x), x)
    ...
    ...     def backward(self, dy, *, need_dx=True):
    ...         (x,) = self.saved(dy)
    ...         self.accumulate_grad("scale", self.sum_samples, dy * x)
    ...         return dy * self.broadcast_param("scale", dy)
    >>> minidl.gradcheck(Scale(3, "float64"), np.ones((4, 3))) < 1e-8
    True
    >>> three = minidl.replicate(lambda rng: Scale(3, "float64"), range(3))
    >>> minidl.gradcheck(three, np.ones((3, 4, 3))) < 1e-8
    True
    """

    settings: tuple[str, ...] = ("lr",)
    lr = number(
        "lr", NON_NEGATIVE, "The layer's own learning rate, or None; a number, or one per replicate.", optional=True
    )

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a subclass that would compute something else without an error."""
        super().__init_subclass__(**options)
        own = vars(cls)
        if "forward" in own and "infer" not in own and cls.infer is not Module.infer:
            base = next(base.__name__ for base in cls.__mro__ if "infer" in vars(base))
            raise TypeError(
                f"{cls.__name__}: it has its own forward but infers as {base}, so that predict would compute something "
                f"else: derive from Module, or write infer as well",
            )
        if "backward" in own and "need_dx" not in inspect.signature(own["backward"]).parameters:
            raise TypeError(f"{cls.__name__}: expected backward(self, dy, *, need_dx=True)")

    def __init__(
        self,
        params: Mapping[str, np.ndarray] | None = None,
        children: Mapping[str, Module] | None = None,
        *,
        lr: float | None = None,
        dtype: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        self.training = True
        self.lr = lr
        super().__init__(params, children, dtype=dtype, backend=backend)

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Compute the output, and save what `backward` needs.

        What is saved is not copied: x and the output must not be written to before `backward`.

        Parameters
        ----------
        x : array, shape (..., sample, feature)

        Returns
        -------
        array
        """

    @abstractmethod
    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Add the gradients of the parameters, and return that of the input.

        Parameters
        ----------
        dy : array
            The gradient of the loss with respect to the output of the last `forward`; of its shape and dtype.
        need_dx : bool
            False if nobody wants the gradient of the input; a module may then return None.

        Returns
        -------
        array
            The gradient of the loss with respect to the input. For an x that replicates share it is the gradient of
            each of them, (*replicate_shape, ...).
        """

    def infer(self, x: Array) -> Array:
        """Compute the output in evaluation mode and save nothing: safe from many threads.

        Parameters
        ----------
        x : array, shape (..., sample, feature)

        Returns
        -------
        array
        """
        if self._children:
            return copy.deepcopy(self).eval().forward(x)
        return self._twin().forward(x)

    def infer_layers(self, x: Array, path: str = "") -> Iterator[tuple[str, Module, Array, Array]]:
        """Infer, and iterate over the layers on the way: path as in `spec`, layer, its input and its output.

        The last output is that of the whole. `Sequential` lists its layers instead of itself, a `Residual` or a
        `Concat` before itself.

        Parameters
        ----------
        x : array, shape (..., sample, feature)
        path : str
            The names of the modules above, each with a dot behind it.
        """
        yield path.removesuffix("."), self, x, self.infer(x)

    def saturated(self, x: Array) -> Array | None:  # noqa: ARG002 - most layers do not ask
        """Return where the gradient hardly passes a layer of this input; None for a layer that passes it everywhere."""
        return None

    def __call__(self, x: Array) -> Array:
        """Return ``self.forward(x)``."""
        return self.forward(x)

    def update(self, lr: float | np.ndarray | None = None, values: Array | None = None) -> None:
        """Take a step, ``value -= lr * grad``, and set the gradients to zero (eq. 5 and 6).

        Frozen parameters stay as they are.

        Parameters
        ----------
        lr : float or array of shape replicate_shape, optional
            Learning rate. Without it each layer uses its own.
        values : array, shape (*replicate_shape, size), optional
            What to use instead of the gradient; this is how Adam makes its steps.

        Raises
        ------
        ValueError
            If there is no learning rate, if it is negative, or if `values` has another shape. Nothing has changed then.
        TypeError
            If `values` is of another library or dtype.
        """
        step = self._grads if values is None else self._checked(values)
        if lr is None:
            self._update_by_own_rates(step)
        else:
            if not (type(lr) is float and 0 <= lr < math.inf):
                lr = self.broadcast_setting(as_number(self, "lr", lr, NON_NEGATIVE, self.replicate_shape))
            for value, part, (rate,) in self.trained_blocks((self._values, step), (lr,)):
                value -= rate * part
        self.zero_grad()

    def check_rates(self) -> list[Module]:
        """Return the modules that train parameters of their own, after checking that each has a learning rate.

        Raises
        ------
        ValueError
            Naming the first that has none.
        """
        rated = [module for module in self.modules() if module._params and not module._frozen]
        for module in rated:
            if module.lr is None:
                raise ValueError(f"{module}: no learning rate: give update one, or the layer its own (lr=)")
        return rated

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's signature
        """Switch to training mode (dropout drops), or with False to evaluation; return the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode (dropout passes everything on); return the module."""
        return self.train(mode=False)

    @contextmanager
    def mode_kept(self) -> Iterator[list[Module]]:
        """Restore the mode of each module at the end, training or evaluation: ``with model.mode_kept(): ...``.

        Yields
        ------
        list of Module
            This module and those below it.
        """
        modules = list(self.modules())
        modes = [module.training for module in modules]
        try:
            yield modules
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode

    @contextmanager
    def naming(self, name: str) -> Iterator[None]:
        """Name a child in every error that is raised inside: ``with self.naming("inner"): ...``.

        Parameters
        ----------
        name : str
            Of the child, as in `children`.
        """
        try:
            yield
        except Exception as error:
            error.add_note(f"in {self.place(name)}")
            raise

    def check_entry(self, x: Array) -> None:
        """Raise unless the first layer that knows the shape of x accepts it; nothing is saved or drawn."""
        if self.in_features is not None:
            self.check_input(x, self.in_features)

    def _twin(self) -> Self:
        """Return a module of the same parameters in evaluation mode, on which `forward` saves; not for children."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, training=False)
        return twin

    def _update_by_own_rates(self, step: Array) -> None:
        for module in self.check_rates():
            begin = module._start - self._start  # its own parameters come first in its slice
            end = begin + sum(map(prod, module._shapes.values()))
            self._values[..., begin:end] -= self.broadcast_setting(module.lr) * step[..., begin:end]

    def _checked(self, values: Array) -> Array:
        own = self._values
        if type(values) is type(own) is np.ndarray and values.dtype == own.dtype and values.shape == own.shape:
            return values
        backend = backend_of(values, self, "values")
        if backend is not self.backend or values.dtype != self.dtype or values.shape != self._values.shape:
            wrong = ValueError if backend is self.backend and values.dtype == self.dtype else TypeError
            raise wrong(
                f"{self}: expected values like the parameters, {describe(self._values)}, got {describe(values)}"
            )
        return values
