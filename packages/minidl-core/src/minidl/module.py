"""The base class of all layers and networks: forward, backward, update (report, section II)."""

from __future__ import annotations

import copy
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, Self

import numpy as np

from minidl.backend import Array, Backend, backend_of, describe
from minidl.blocks import in_blocks
from minidl.checks import NON_NEGATIVE, as_number
from minidl.tree import ParamTree


class Module(ParamTree, ABC):
    """A differentiable function with parameters.

    A subclass of your own derives from this class and writes `forward` and `backward`. It declares its parameters by
    handing their initial values to this constructor, which lays them out in one :class:`ParamBuffer`; then

    - ``self._params[name].value`` is the parameter, with the replicate axes in front: index it from the right;
    - ``self._beside(name, x)`` is a parameter of the features in the shape that multiplies x, whatever axes x has;
    - ``self._save(y, *needed)`` in `forward` keeps what `backward` needs, and returns y;
    - ``self._recall(dy)`` in `backward` checks dy and returns what was kept;
    - ``self._add_grad(name, function, *args)`` adds to a gradient, with ``self._buffer.sum_samples`` for sums over
      samples; a gradient must not be written in any other way;
    - ``self._accept(x, features)`` refuses an x that is not like the parameters, or of another width;
    - ``settings`` names the attributes that are numbers and may differ between replicates.

    A container hands in its children instead: their parameters move into its buffer.

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
        or replicate shape.

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
    ...         return self._save(x * self._beside("scale", x), x)
    ...
    ...     def backward(self, dy, *, need_dx=True):
    ...         (x,) = self._recall(dy)
    ...         self._add_grad("scale", self._buffer.sum_samples, dy * x)
    ...         return dy * self._beside("scale", dy)
    >>> minidl.gradcheck(Scale(3, "float64"), np.ones((4, 3))) < 1e-8
    True
    >>> three = minidl.replicate(lambda rng: Scale(3, "float64"), range(3))
    >>> minidl.gradcheck(three, np.ones((3, 4, 3))) < 1e-8
    True
    """

    settings: tuple[str, ...] = ("lr",)

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse what would go wrong later and silently."""
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
        self.lr: Any = lr if lr is None else as_number(type(self).__name__, "lr", lr, NON_NEGATIVE)
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
            The gradient of the loss with respect to the input. For an x that replicates share it is that of each of
            them, (*lead, ...).
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
        twin = object.__new__(type(self))  # what forward saves, it saves on the twin
        twin.__dict__.update(self.__dict__, training=False)
        return twin.forward(x)

    def __call__(self, x: Array) -> Array:
        """Return ``self.forward(x)``."""
        return self.forward(x)

    def update(self, lr: float | np.ndarray | None = None, values: Array | None = None) -> None:
        """Take a step, ``value -= lr * grad``, and set the gradients to zero (eq. 5 and 6).

        Parameters
        ----------
        lr : float or array of shape lead, optional
            Learning rate. Without it each layer uses its own.
        values : array, shape (*lead, size), optional
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
                lr = as_number(self, "lr", lr, NON_NEGATIVE, self.lead)
            in_blocks(_descend, (self._values, step), (self._buffer.column(lr),))
        self.zero_grad()

    def check_rates(self) -> list[Module]:
        """Return the modules that have parameters, once each is known to have a learning rate of its own.

        Raises
        ------
        ValueError
            Naming the first that has none.
        """
        rated = [module for module in self._tree() if module._params]
        for module in rated:
            if module.lr is None:
                raise ValueError(f"{module}: no learning rate: give update one, or the layer its own (lr=)")
            as_number(module, "lr", module.lr, NON_NEGATIVE, self.lead)
        return rated

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's signature
        """Switch to training mode (dropout drops), or with False to evaluation; return the module."""
        for module in self._tree():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode (dropout passes everything on); return the module."""
        return self.train(mode=False)

    # ---- for subclasses

    def _save(self, y: Array, *needed: Any) -> Array:
        """Save what `backward` needs, with the shape and dtype that its `dy` must have; return y."""
        self._saved = y.shape, y.dtype, needed
        return y

    def _recall(self, dy: Array) -> tuple[Any, ...]:
        """Return what `forward` saved, after checking `dy` against the output that it gave."""
        if self._saved is None:
            raise ValueError(f"{self}: backward before forward: call forward(x) first")
        shape, dtype, needed = self._saved
        if type(dy) is not np.ndarray or dy.dtype != dtype:  # in the common case it need not be asked
            backend_of(dy, self, "dy")
        # Above a layer without parameters there may be replicates that share its output, of two axes.
        if dy.dtype != dtype or (dy.shape != shape and not (len(shape) == 2 and dy.shape == (*self.lead, *shape))):
            wrong = ValueError if dy.dtype == dtype else TypeError
            raise wrong(f"{self}: expected dy like the output of forward, {dtype} {tuple(shape)}, got {describe(dy)}")
        return needed  # type: ignore[no-any-return]  # a tuple, as _save put it there

    def _accept_at_entry(self, x: Array) -> None:
        """Raise unless the layer that knows what x must be accepts it; before any other layer saves or draws."""
        if self.in_features is not None:
            self._accept(x, self.in_features)

    def _add_grad(self, name: str, function: Any, *args: Any, **options: Any) -> None:
        """Add ``function(*args)`` to the gradient of a parameter; write it there if the gradient is still zero."""
        grad = self._params[name].grad
        if self._buffer.take_fresh(self._offsets[name]):
            function(*args, out=grad, **options)
        else:
            grad += function(*args, **options)

    def _beside(self, name: str, x: Array) -> Array:
        """Return a parameter of the features in the shape that multiplies x, (*lead, ..., sample, feature)."""
        value, lead = self._params[name].value, self._buffer.lead
        samples = max(x.ndim - len(lead), 2) - 1  # an x of two axes is shared by the replicates
        return value.reshape(*lead, *(1,) * samples, value.shape[-1]) if lead else value

    def _accept(self, x: Array, features: int) -> None:
        """Raise unless x is an array like the parameters, `features` wide."""
        backend, home = backend_of(x, self), self._buffer
        if backend is not home.backend or x.dtype != home.dtype:
            raise TypeError(
                f"{self}: expected x in the library and dtype of the parameters, {home.kind}, "
                f"got {describe(x)} ({backend.name})",
            )
        if x.shape[-1:] != (features,):
            raise ValueError(f"{self}: expected x of shape (..., {features}), got {tuple(x.shape)}")
        if home.lead:
            self._accept_replicates(x, str(features))

    def _accept_replicates(self, x: Array, features: str = "feature") -> None:
        """Raise unless x is shared by the replicates, or has their axes in front."""
        lead = self._buffer.lead
        if x.ndim != 2 and (x.ndim < 2 + len(lead) or x.shape[: len(lead)] != lead):
            axes = ", ".join(map(str, lead))
            raise ValueError(
                f"{self}: expected x of shape (sample, {features}), shared by the replicates, "
                f"or ({axes}, ..., sample, {features}), got {tuple(x.shape)}",
            )

    # ---- the steps of update

    def _update_by_own_rates(self, step: Array) -> None:
        for module in self.check_rates():
            begin = module._start - self._start  # its own parameters come first in its slice
            end = begin + sum(map(prod, module._shapes.values()))
            _descend(self._values[..., begin:end], step[..., begin:end], self._buffer.column(module.lr))

    def _checked(self, values: Array) -> Array:
        backend = backend_of(values, self, "values")
        if backend is not self.backend or values.dtype != self.dtype or values.shape != self._values.shape:
            wrong = ValueError if backend is self.backend and values.dtype == self.dtype else TypeError
            raise wrong(
                f"{self}: expected values like the parameters, {describe(self._values)}, got {describe(values)}"
            )
        return values


def _descend(values: Array, step: Array, lr: Any) -> None:
    values -= lr * step
