"""`minidl train --stream` on many rows: time, rows per second, and the peak of the memory beside the size of the file.

    python -m benchmarks.larger_than_memory --rows 10000000

The table has 10 columns of float32 and a target that depends on some of them. It is made in a temporary folder, which
must have room for it. The command runs in a process of its own, once through the rows for the statistics and once for
each epoch.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

COLUMNS = 10
BLOCK = 500_000


def blocks(rows: int) -> Iterator[np.ndarray]:
    """Yield rows of ten inputs and a target."""
    for start in range(0, rows, BLOCK):
        rng = np.random.default_rng([1, start])
        x = rng.standard_normal((min(BLOCK, rows - start), COLUMNS), np.float32)
        y = np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3] + rng.normal(0, 0.1, (len(x), 1))
        yield np.concatenate([x, y], axis=1, dtype=np.float32)


def write_array(path: Path, rows: int) -> None:
    """Write the rows as an .npy file."""
    array = np.lib.format.open_memmap(path, "w+", np.float32, (rows, COLUMNS + 1))
    start = 0
    for block in blocks(rows):
        array[start : start + len(block)] = block
        start += len(block)
    array.flush()


def write_parquet(path: Path, rows: int) -> None:
    """Write the rows as a Parquet file, a row group for each block."""
    import pyarrow as pa  # noqa: PLC0415 - not installed everywhere
    from pyarrow import parquet  # noqa: PLC0415 - the same

    names = [f"column_{i}" for i in range(COLUMNS + 1)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with parquet.ParquetWriter(path, schema) as file:
        for block in blocks(rows):
            file.write_table(pa.table(list(block.T), schema=schema))


def main() -> None:
    """Write the table, train on it, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--parquet", action="store_true", help="a Parquet file instead of an .npy file")
    parser.add_argument("--folder", help="where to make the table, instead of the folder for temporary files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path = Path(folder, "rows.parquet" if given.parquet else "rows.npy")
        (write_parquet if given.parquet else write_array)(path, given.rows)
        options = ["--target", f"column_{COLUMNS}", "--stream", "--out", "model"]
        for name in ("epochs", "networks", "batch_size"):
            options += [f"--{name.replace('_', '-')}", str(getattr(given, name))]
        start = time.perf_counter()
        command = [sys.executable, "-m", "minidl_experiments", "train", str(path), *options]
        shown = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - this project's own program
        seconds, size = time.perf_counter() - start, path.stat().st_size / 1e6
    passes = 1 + given.epochs
    memory = re.search(r"memory: at most (\d+) MB", shown.stdout)
    sys.stdout.write(
        f"{shown.stdout}\n{given.rows} rows, {size:.0f} MB on the disk, {passes} passes in {seconds:.1f} s: "
        f"{given.rows * passes / seconds:.0f} rows per second; peak {memory[1] if memory else '?'} MB\n"
    )


if __name__ == "__main__":
    main()
