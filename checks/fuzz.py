"""Load damaged files of models, many thousands; fail on anything but a model or a ValueError, and on much memory.

`python checks/fuzz.py 100000 --seed 3`. Each input is a good file with some changes: other bytes, a part cut out or put
in from another file, other values in the header or in the description of the network, entries left out, renamed or
nested. An input that fails is kept in the current folder.
"""

import argparse
import copy
import json
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minidl
from minidl.files import safetensors

MOST = 200 * 2**20  # bytes that all loads together may add to the largest memory of the process
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e999, 10**6, 2**31, 2**63, 10**30, "", "x", "0", "weight", "F32"),
    *("F64", "float64", "Linear", "LayerNorm", "BatchNorm1d", "Concat", "Residual", "Module", "minidl", "os", [], {}),
    *(
        [0],
        [1, 1],
        [0, 0],
        [0, 2**62],
        [2**40],
        [[[]]],
        {"0": {"kind": "Tanh"}},
        {"kind": "Linear"},
        {"a": 1},
        "é" * 50,
    ),
]
Data = Any  # of JSON


def good_files(path: Path) -> list[bytes]:
    """Return the contents of good files, from which the others are made."""
    files = []
    for model in (one_of_each(0), minidl.replicate(one_of_each, range(3)), minidl.Linear(2, 3, rng=0), minidl.Tanh()):
        minidl.save(model, path)
        files.append(path.read_bytes())
    arrays = {code: np.ones((2, 1), dtype) for code, dtype in safetensors.DTYPES.items()}
    safetensors.write(path, arrays, {"format": "pt", "by": "nobody"})
    return [*files, path.read_bytes()]


def one_of_each(rng: Any) -> minidl.Module:
    """Return a small network with layers inside layers, statistics and frozen parameters."""
    rng = np.random.default_rng(rng)
    inner = [minidl.BatchNorm1d(3), minidl.Dropout(rng.uniform(), rng=rng), minidl.Linear(3, 3, bias=False, rng=rng)]
    heads = [minidl.Linear(3, 1, lr=0.1, rng=rng).freeze(), minidl.Sequential([minidl.GELU("tanh"), minidl.ELU()])]
    layers = [minidl.Linear(2, 3, rng=rng), minidl.LeakyReLU(rng.uniform()), minidl.Residual(minidl.Sequential(inner))]
    return minidl.Sequential([*layers, minidl.LayerNorm(3), minidl.Concat(heads)])


def other_bytes(content: bytes, rng: np.random.Generator, _: list[bytes]) -> bytes:
    """Change some bytes."""
    changed = bytearray(content)
    for place in rng.integers(0, len(content), rng.integers(1, 9)):
        changed[place] = rng.choice([rng.integers(256), ord(rng.choice([*'{}[]",:0129-. ']))])
    return bytes(changed)


def other_parts(content: bytes, rng: np.random.Generator, files: list[bytes]) -> bytes:
    """Cut a part out, or put one in from any file, or end early."""
    other = files[rng.integers(len(files))]
    start, stop = sorted(rng.integers(0, len(content) + 1, 2))
    begin, end = sorted(rng.integers(0, len(other) + 1, 2))
    return [content[:start] + content[stop:], content[:start] + other[begin:end] + content[stop:], content[:start]][
        rng.integers(3)
    ]


def other_header(content: bytes, rng: np.random.Generator, _: list[bytes]) -> bytes:
    """Change data of the header, whose length is made to fit."""
    return with_header(content, lambda header: json.dumps(changed_data(header, rng)))


def other_network(content: bytes, rng: np.random.Generator, _: list[bytes]) -> bytes:
    """Change data of the description of the network."""

    def change(header: Data) -> str:
        metadata = header.get("__metadata__", {})
        metadata["minidl"] = json.dumps(changed_data(json.loads(metadata.get("minidl", "{}")), rng))
        return json.dumps(header)

    return with_header(content, change)


def other_words(content: bytes, rng: np.random.Generator, _: list[bytes]) -> bytes:
    """Put another word in the place of one, so that names stand twice, or open thousands of brackets."""

    def change(header: Data) -> str:
        words = re.split('(\\\\?"[^"]*")', json.dumps(header))
        one, other = (2 * rng.integers(len(words) // 2, size=2) + 1).tolist()
        words[one] = words[other] if rng.random() < 0.9 else "[" * 5000
        return "".join(words)

    return with_header(content, change)


def with_header(content: bytes, change: Callable[[Data], str]) -> bytes:
    """Return a file with another header."""
    length = int.from_bytes(content[:8], "little")
    header = change(json.loads(content[8 : 8 + length])).encode()
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def changed_data(data: Data, rng: np.random.Generator) -> Data:
    """Change one to three values, names or entries somewhere in data."""
    for _ in range(rng.integers(1, 4)):
        places = [*walk(data)]
        if not places:
            return VALUES[rng.integers(len(VALUES))]
        owner, name = places[rng.integers(len(places))]
        value = [*VALUES, owner[name]][rng.integers(len(VALUES) + 1)]
        match rng.integers(6):
            case 0 | 1:
                owner[name] = copy.deepcopy(value)
            case 2:
                del owner[name]
            case 3 if isinstance(owner, dict):
                owner[f"{name}{rng.choice(['x', '.0', ''])}"] = owner.pop(name)
            case 4:  # the data of another place
                source, key = places[rng.integers(len(places))]
                owner[name] = copy.deepcopy(source[key]) if key in source or isinstance(source, list) else value
            case _:
                for _ in range(int(rng.choice([1, 3, 150]))):
                    owner[name] = [owner[name]] if rng.random() < 0.5 else {"0": owner[name]}
    return data


def walk(data: Data) -> Any:
    """Iterate over all places in data, each as its object or list and its name there."""
    names = data.keys() if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for name in names:
        yield data, name
        yield from walk(data[name])


MUTATIONS = (other_bytes, other_parts, other_words, other_header, other_network, other_network)


def outcome(path: Path, content: bytes) -> str:
    """Load a file; return what happened in a word."""
    path.write_bytes(content)
    try:
        minidl.load(path, rng=0)
    except ValueError as error:
        return "refused" if str(error).startswith(f"{path}: ") else f"ValueError without the file: {error}"
    except Exception as error:  # noqa: BLE001 - that is the fault we look for
        return f"{type(error).__name__}: {error}"
    return "loaded"


def main() -> int:
    """Load the files; return 1 for any fault."""
    parser = argparse.ArgumentParser(description="Load damaged files of models.")
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, seen, start = np.random.default_rng(options.seed), Counter[str](), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        files = good_files(path)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(options.count):
            mutation = MUTATIONS[rng.integers(len(MUTATIONS))]
            content = mutation(files[rng.integers(len(files))], rng, files)
            found = outcome(path, content)
            seen[found if found in {"refused", "loaded"} else "fault"] += 1
            if found not in {"refused", "loaded"}:
                kept = Path(f"fault-{options.seed}-{number}.safetensors")
                kept.write_bytes(content)
                print(f"{kept}: {found[:300]}")
        more = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    print(f"{options.count} files in {time.perf_counter() - start:.0f} s: {dict(seen)}")
    print(f"{more / 2**20:.0f} MB more memory at most")
    return int(bool(seen["fault"] or more > MOST))


if __name__ == "__main__":
    sys.exit(main())
