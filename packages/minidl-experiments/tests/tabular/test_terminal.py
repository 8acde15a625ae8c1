"""The commands on terminals of several widths: no line is wrapped by the terminal, and no word is cut."""

import io
import os
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

import minidl
from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.progress import SearchProgress
from minidl_experiments.search.result import Result
from minidl_experiments.tabular.choices import Measure
from minidl_experiments.tabular.display import TrainingDisplay

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
HISTORY = minidl.History(
    loss=[np.array([0.5, 0.25])], val_loss=[np.array([0.75, 0.25])], val_accuracy=[np.array([0.5, 1.0])]
)


def lines_of(shown):
    return [line.rstrip() for line in re.split(r"[\r\n]+", ESCAPES.sub("", shown)) if line.strip()]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (40, "epoch 7 of at most 300"),
        (60, "epoch 7 of at most 300, loss 0.3750"),
        (80, "epoch 7 of at most 300, loss 0.3750, validation 0.5000"),
        (120, "epoch 7 of at most 300, loss 0.3750, validation 0.5000, accuracy 75.0 %, 2 networks on all rows"),
    ],
)
def test_a_training_shows_what_there_is_room_for(width, expected):
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    with TrainingDisplay(console, 300) as display:
        display.watch("2 networks on all rows")(7, HISTORY)
    lines = lines_of(console.file.getvalue())
    assert {line for line in lines if "epoch 7" in line} == {f"━━━━━━━━━━ {expected}"}
    assert max(map(len, lines)) <= width


def test_a_training_in_blocks_shows_how_many_are_done():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with TrainingDisplay(console, 300) as display:
        display.watch("5 networks on all rows")
        display.blocks(1, 2)
    lines = lines_of(console.file.getvalue())
    assert any(line.endswith(" 1 of 2 blocks of networks are trained, 5 networks on all rows") for line in lines)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (40, "1 of 3 configurations"),
        (60, "1 of 3 configurations, about 20 s left"),
        (70, "1 of 3 configurations, about 20 s left, best R² 0.6000"),
        (80, "1 of 3 configurations, about 20 s left, best R² 0.6000, with lr 0.1"),
    ],
)
def test_a_sweep_shows_what_there_is_room_for(width, expected):
    console, clock = Console(file=io.StringIO(), width=width, force_terminal=True), [0.0]
    with SearchProgress(console, Measure.R2, ["lr"], 3, [], clock=lambda: clock[0]) as progress:
        clock[0] = 10.0
        progress.report(Result(Candidate(lr=0.1), {"r2": [0.5, 0.7]}, "", 1.0))
    lines = lines_of(console.file.getvalue())
    assert f"━━━━━━━━━━ {expected}" in [line.replace("╺", "━").replace("╸", "━") for line in lines]
    assert max(map(len, lines)) <= width


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are those of Unix")
@pytest.mark.parametrize("width", [40, 80])
def test_no_line_of_a_command_is_wider_than_the_terminal(csv, tmp_path, width):
    """Lines with file names are as long as these."""
    import fcntl  # noqa: PLC0415 - not on Windows
    import termios  # noqa: PLC0415 - the same

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    command = [sys.executable, "-m", "minidl_experiments", "train", csv.name, "--target", "kind", "--epochs", "20"]
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(  # noqa: S603 - this project's own program
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment | {"TERM": "xterm-256color"}
    )
    os.close(theirs)
    shown = []
    try:
        while piece := os.read(ours, 4096):
            shown.append(piece)
    except OSError:  # Linux says so at the end
        pass
    os.close(ours)
    text = b"".join(shown).decode()
    assert process.wait() == 0, text
    lines = lines_of(text)
    assert any("━ epoch " in line for line in lines)
    assert ("test accuracy, score " in " ".join(lines)) == (width == 40)  # a table at 80
    assert [line for line in lines if len(line) > width and not line.startswith("wrote ")] == []
    assert not any("…" in line for line in lines)
