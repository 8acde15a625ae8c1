"""`fit(progress=True)` trains to the end whatever the standard error stream is."""

import io
import subprocess
import sys

import numpy as np
import pytest

import minidl

FIT = """
import sys
import numpy as np
import minidl
{broken}
model = minidl.Linear(1, 1, rng=0)
x = np.ones((4, 1), np.float32)
history = minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.01), x, x, epochs=3, batch_size=2, progress=True)
sys.stdout.write(str(len(history)))
"""


def fit():
    model = minidl.Linear(1, 1, rng=0)
    x = np.ones((4, 1), np.float32)
    optimizer = minidl.SGD(model, 0.01)
    return minidl.fit(model, minidl.MSELoss(), optimizer, x, x, epochs=3, batch_size=2, progress=True)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def detached():
    stream = io.TextIOWrapper(io.BytesIO())
    stream.detach()
    return stream


class Full(io.StringIO):
    """A stream on a full disk, or one whose reader has gone."""

    def write(self, _):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [lambda: None, closed, detached, Full])
def test_a_stream_that_takes_no_text_does_not_end_the_training(stream, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream())
    assert len(fit()) == 3


@pytest.mark.parametrize("broken", ["sys.stderr = None", "sys.stderr.close()"])
def test_a_process_without_standard_error_trains_to_the_end(broken):
    code = FIT.format(broken=broken)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - this project's own program
    assert (done.returncode, done.stdout, done.stderr) == (0, "3", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the descriptor")
def test_a_closed_descriptor_does_not_end_the_training():
    command = ["/bin/sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, FIT.format(broken="")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this project's own program
    assert (done.returncode, done.stdout) == (0, "3")
