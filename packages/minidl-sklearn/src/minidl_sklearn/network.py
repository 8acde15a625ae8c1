"""The network of minidl behind an estimator, and its parameters as scikit-learn has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import is_
from typing import Any

import numpy as np

import minidl
from minidl_sklearn.form import Form


class Network:
    """A network whose weights and biases are also ``coefs_`` and ``intercepts_``.

    These are views of the network's one vector, so a change of one is a change of the other.

    Parameters
    ----------
    coefs : sequence of array, shape (n_in, n_out)
        Copied.
    intercepts : sequence of array, shape (n_out,)
        Copied.
    form : Form
        What stands between the linear layers.
    like : Network, optional
        Whose normalization is taken over where both have the same kind.

    Attributes
    ----------
    model : minidl.Sequential
        Without an activation behind the last layer: its outputs are logits, predictions, or logarithms of rates.
    coefs, intercepts : list of array
    form : Form
    given : tuple
        The parameters of the estimator from which the form was made, to see at a glance that they have not changed.
    seeded : bool
        Whether `seed` has been called.
    """

    given: tuple[Any, ...] = (None, None, None)
    seeded = False

    def __init__(
        self, coefs: Sequence[Any], intercepts: Sequence[Any], form: Form, *, like: Network | None = None
    ) -> None:
        coefs = [np.asarray(weight) for weight in coefs]
        dtype = np.result_type(*coefs, *intercepts)
        dtype = dtype if dtype in (np.float32, np.float64) else np.dtype(np.float64)
        layers: list[minidl.Module] = []
        rng = np.random.default_rng(0)  # `seed` replaces it before anything is drawn
        for i, weight in enumerate(coefs):
            layers.append(minidl.Linear(*weight.shape, dtype=dtype, init=lambda _rng, shape: np.zeros(shape), rng=0))
            layers += form.layers(i, weight.shape[1], dtype, rng)
        self.model, self.form = minidl.Sequential(layers), form
        self.make_views()
        self.copy_from(coefs, intercepts)
        if like is not None and [*map(str, like.norms)] == [*map(str, self.norms)]:  # of the same kinds and widths
            for own, other in zip(self.norms, like.norms, strict=True):
                own.load_state_dict(other.state_dict())

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters, float32 or float64."""
        return self.model.values.dtype

    def is_of(self, coefs: Any, intercepts: Any) -> bool:
        """Whether arrays are the views of this network, none of them replaced."""
        return (
            len(coefs) == len(intercepts) == len(self.coefs)
            and all(map(is_, coefs, self.coefs))
            and all(map(is_, intercepts, self.intercepts))
        )

    def fits(self, coefs: Sequence[Any], intercepts: Sequence[Any]) -> bool:
        """Whether a network of these parameters has the same widths and dtype."""
        given, own = [*coefs, *intercepts], [*self.coefs, *self.intercepts]
        return [np.shape(array) for array in given] == [array.shape for array in own] and (
            np.result_type(*given) == self.dtype
        )

    def copy_from(self, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
        """Take over the numbers of other arrays of the same shapes."""
        views = zip([*self.coefs, *self.intercepts], [*coefs, *intercepts], strict=True)
        # Copies first: another array may be a view of this network, which an assignment before it would overwrite.
        replaced = [(own, np.array(other)) for own, other in views if own is not other]
        for own, numbers in replaced:
            own[...] = numbers

    @property
    def norms(self) -> list[minidl.Module]:
        """The layers that normalize, one per hidden layer, or none."""
        return [layer for layer in self.model.layers if isinstance(layer, minidl.BatchNorm1d | minidl.LayerNorm)]

    def seed(self, rng: np.random.RandomState) -> None:
        """Draw the generator of the dropout masks; without dropout nothing is drawn."""
        dropouts = [layer for layer in self.model.layers if isinstance(layer, minidl.Dropout)]
        if dropouts:
            generator = new_generator(rng)
            for layer in dropouts:
                layer.generators = [generator]
        self.seeded = True

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the views, which a pickle would make arrays of their own."""
        return {"model": self.model, "form": self.form, "seeded": self.seeded}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.make_views()

    def make_views(self) -> None:
        """Make the lists of views anew."""
        linear = [layer for layer in self.model.layers if isinstance(layer, minidl.Linear)]
        self.coefs: list[Any] = [layer.weight.T for layer in linear]
        self.intercepts: list[Any] = [layer.bias for layer in linear]


def new_generator(rng: np.random.RandomState) -> np.random.Generator:
    """Return a generator whose seed a RandomState draws."""
    return np.random.default_rng(rng.randint(np.iinfo(np.int32).max))


def check_parameters(who: str, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
    """Raise a ValueError unless weights and biases are those of layers that follow each other.

    Parameters
    ----------
    who : str
        The class of the estimator.
    coefs, intercepts : sequence of array-like
        As somebody has set them; a bias may also be a single number.
    """
    weights, biases = [*map(np.shape, coefs)], [*map(np.shape, intercepts)]
    fit = len(weights) == len(biases) > 0 and all(len(shape) == 2 for shape in weights)
    fit = fit and all(before[1] == after[0] for before, after in pairwise(weights))
    if not fit or not all(bias in {(), (1,), shape[1:]} for shape, bias in zip(weights, biases, strict=True)):
        raise ValueError(
            f"{who}: expected coefs_ of shapes (n_in, n_out) that follow each other and as many intercepts_ of shapes "
            f"(n_out,), got coefs_ {weights} and intercepts_ {biases}"
        )
