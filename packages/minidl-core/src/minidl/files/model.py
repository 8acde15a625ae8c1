"""Models as files: `save` and `load`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

from minidl.arrays.backend import FLOATS, Backend, dtype_name, get_backend
from minidl.arrays.checks import as_generators, as_path, check_kinds
from minidl.files.building import OWN, build
from minidl.files.records import MOST, from_data, to_data
from minidl.files.safetensors import read, write
from minidl.files.strict_json import parse, shortened, words
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec

KEY = "minidl"  # of the metadata
FORMAT = 1
REPLICATES = 100_000  # the most that a file can ask for
_FIELDS = {"format", "minidl", "dtype", "replicate_shape", "network"}


def save(model: Module, path: str | os.PathLike[str], *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a model to a file that `load` reads: one file in the format safetensors.

    The file has the parameters and statistics under the names of `state_dict`, which are torch's, with the replicate
    axes in front. Its metadata describe the network: kinds, widths and options of its layers, which of them are frozen,
    replicates and dtype. ``safetensors.torch.load_file`` opens it, and torch's ``load_state_dict`` takes what that
    returns. Gradients, training mode, generators of dropout and the optimizer are not saved.

    An old file is replaced in one step, at the end: whatever happens, it is the old one or the new one, and whole.

    Parameters
    ----------
    model : Module
        Its layers may be of your own: `load` needs their classes.
    path : str or path
        By custom the name ends in ``.safetensors``.
    metadata : mapping of str to str, optional
        Texts beside the description of the network, under keys of your own, such as a preprocessing as JSON. `load`
        leaves them alone; :func:`minidl.files.safetensors.read` returns them.

    Raises
    ------
    TypeError
        If `model` is no Module, or `metadata` has something else than texts.
    ValueError
        If an option of a layer is something else than numbers, words and tuples of them; for more than 10,000 modules,
        each counted once for every module around it, 100 inside each other, or 100,000 replicates; if `path` is a
        folder; for the key ``"minidl"`` in `metadata`.
    OSError
        If the file cannot be written, with `path` as its file name.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import minidl
    >>> model = minidl.Sequential([minidl.Linear(2, 25, rng=0), minidl.LeakyReLU(0.1), minidl.Linear(25, 2, rng=1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     minidl.save(model, Path(folder, "model.safetensors"))
    ...     twin = minidl.load(Path(folder, "model.safetensors"))
    >>> twin
    Sequential(
      0: Linear(2 -> 25)
      1: LeakyReLU(alpha=0.1)
      2: Linear(25 -> 2)
    )
    >>> bool((twin.values == model.values).all())
    True
    """
    check_kinds("save", ("model", model, Module))
    as_path("save", "path", path)
    texts = _as_texts(metadata)
    _refuse_namesakes(model)
    try:
        text = _describe(model)
        _read_description(text)  # what `load` would refuse
    except (ValueError, RecursionError) as error:
        raise ValueError(f"save: {error}") from error
    to_numpy = model.backend.to_numpy
    write(path, {name: to_numpy(array) for name, array in model.state_dict().items()}, {KEY: text} | texts)


def load(
    path: str | os.PathLike[str],
    *,
    kinds: Mapping[str, type[Module]] | None = None,
    backend: str | Backend | None = None,
    rng: Any = None,
) -> Module:
    """Build a model from a file that `save` has written, here or by anyone.

    No code of the file is run. The class of a layer is one of minidl's own or one of `kinds`: nothing is imported or
    looked up elsewhere by a name in the file. No more memory is taken than for some copies of the file.

    Parameters
    ----------
    path : str or path
    kinds : mapping of str to type, optional
        The classes of layers of your own by the names that they had: ``{"Scale": Scale}``. They are built by
        `Module.from_record`.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional
        Of the parameters; any, whatever the model had when it was saved.
    rng : None, int, SeedSequence, Generator, or a sequence of one for each replicate, optional
        What dropout is to draw from.

    Returns
    -------
    Module
        In training mode, as a new one; `predict` and `evaluate` use evaluation mode in any case. The bits of parameters
        and statistics are those that were saved.

    Raises
    ------
    ValueError
        Naming the file and the layer or entry, if the file is damaged or not of `save`, if a kind is not known, or if
        the arrays are not those of the network.
    TypeError
        If `kinds` has something else than subclasses of Module.
    OSError
        If the file cannot be read.

    Examples
    --------
    See `save`.
    """
    classes = _as_kinds(kinds)
    library = get_backend(backend, "load")
    arrays, metadata = read(as_path("load", "path", path))
    with _naming(path):
        if KEY not in metadata:
            raise ValueError(f"expected metadata under {KEY!r}, as minidl.save writes them, got {words([*metadata])}")
        record, dtype, replicate_shape = _read_description(metadata[KEY])
    generators = as_generators("load", rng, replicate_shape)
    with _naming(path):
        return build(
            record, arrays, classes, replicate_shape=replicate_shape, dtype=dtype, backend=library, rng=generators
        )


def _as_texts(metadata: Any) -> dict[str, str]:
    """Return the metadata of a caller, checked."""
    if not isinstance(metadata, Mapping | None):
        raise TypeError(f"save: expected metadata to be a mapping of texts, got {words(metadata)}")
    found = dict(metadata or {})
    for key, text in found.items():
        if not (isinstance(key, str) and isinstance(text, str)):
            raise TypeError(f"save: expected metadata to have texts as keys and values, got {words({key: text})}")
    if KEY in found:
        raise ValueError(f"save: expected other keys of metadata than {KEY!r}, which has the network")
    return found


def _describe(model: Module) -> str:
    """Return the description of a network as JSON."""
    description = {
        "format": FORMAT,
        "minidl": sys.modules[KEY].__version__,  # the package, which is imported by now
        "dtype": dtype_name(model.dtype),
        "replicate_shape": list(model.replicate_shape),
        "network": to_data(model.record()),
    }
    return json.dumps(description, ensure_ascii=False)


def _read_description(text: str) -> tuple[LayerSpec, str, tuple[int, ...]]:
    """Return the record, the dtype and the replicate shape of a description that may come from anywhere."""
    data = parse(text)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        written = f"{words(data.get('format'))} of minidl {words(data.get('minidl'))}" if isinstance(data, dict) else ""
        raise ValueError(f"expected a description in format {FORMAT}, got {written or words(data)}")
    if data.keys() != _FIELDS:
        raise ValueError(f"expected a description with {', '.join(sorted(_FIELDS))}, got {words([*data])}")
    dtype, replicate_shape = data["dtype"], data["replicate_shape"]
    if dtype not in FLOATS:
        raise ValueError(f"expected dtype {', '.join(FLOATS)}, got {words(dtype)}")
    if not isinstance(replicate_shape, list) or not all(type(n) is int and n > 0 for n in replicate_shape):
        raise ValueError(f"expected replicate_shape to be a list of integers > 0, got {words(replicate_shape)}")
    if prod(replicate_shape) > REPLICATES:
        raise ValueError(f"expected at most {REPLICATES} replicates, got replicate_shape {words(replicate_shape)}")
    record = from_data(data["network"])
    if (
        sum(layer.path.count(".") + 1 for layer in record.walk()) > MOST
    ):  # each module around copies it when it is built
        raise ValueError(f"expected at most {MOST} modules, each counted once for every module around it")
    return record, dtype, tuple(replicate_shape)


def _refuse_namesakes(model: Module) -> None:
    """Raise if two classes, of which a file tells the names alone, have the same."""
    classes: dict[str, type] = {}
    for module in model.modules():
        kind = type(module)
        if kind.__module__.partition(".")[0] != OWN and classes.setdefault(kind.__name__, kind) is not kind:
            raise ValueError(
                f"save: expected one class of the name {kind.__name__}, got {classes[kind.__name__]} and {kind}"
            )


def _as_kinds(kinds: Any) -> dict[str, type[Module]]:
    found = dict(kinds or {})
    for name, kind in found.items():
        if not (isinstance(name, str) and isinstance(kind, type) and issubclass(kind, Module)):
            raise TypeError(f"load: expected kinds to have names and subclasses of Module, got {name!r}: {kind!r}")
    return found


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in every error of its content."""
    try:
        yield
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)}: {shortened(error)}") from error
