"""Bad input raises an error that names the function, the expected value and the received value."""

import re

import numpy as np
import pytest

from minidl_data import DiskStream, batches, inside, load_disk, make_disk, one_hot

X, Y = np.zeros((4, 2)), np.zeros(4, int)
RNG = "rng must be None, an integer of at least 0, a SeedSequence or a Generator"
DTYPE = "dtype must be float16, float32 or float64"
POINTS = "points must be float16, float32 or float64"
SEED = "DiskStream: seed, unless None or a SeedSequence, must be"


class Tensor:
    """Cannot be converted to an array, like a torch tensor that requires a gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach() first")


CASES = [
    (lambda: make_disk(-1), ValueError, "make_disk: n_samples must be at least 0, got -1"),
    (lambda: make_disk(2.0), TypeError, "make_disk: n_samples must be an integer, got 2.0 (float)"),
    (lambda: make_disk("3"), TypeError, "make_disk: n_samples must be an integer, got '3' (str)"),
    (lambda: make_disk(None), TypeError, "make_disk: n_samples must be an integer, got None (NoneType)"),
    (lambda: make_disk(True), TypeError, "make_disk: n_samples must be an integer, got True (bool)"),
    (lambda: make_disk(np.True_), TypeError, "make_disk: n_samples must be an integer, got np.True_ (bool)"),
    (lambda: make_disk(2**70), ValueError, f"make_disk: n_samples must be at most {2**63 // 32 - 1}, got {2**70}"),
    (lambda: make_disk(1, dtype=int), TypeError, f"make_disk: {DTYPE}, got <class 'int'>"),
    (lambda: make_disk(1, dtype=None), TypeError, f"make_disk: {DTYPE}, got None"),
    (lambda: make_disk(1, dtype="complex64"), TypeError, f"make_disk: {DTYPE}, got 'complex64'"),
    (lambda: make_disk(1, dtype="half of it"), TypeError, f"make_disk: {DTYPE}, got 'half of it'"),
    (lambda: make_disk(1, dtype=">f4" if np.little_endian else "<f4"), TypeError, f"make_disk: {DTYPE}, got '"),
    (lambda: make_disk(1, rng=-1), ValueError, f"make_disk: {RNG}, got -1 (int)"),
    (lambda: make_disk(1, rng=1.5), TypeError, f"make_disk: {RNG}, got 1.5 (float)"),
    (lambda: make_disk(1, rng="seed"), TypeError, f"make_disk: {RNG}, got 'seed' (str)"),
    (lambda: make_disk(1, rng=True), TypeError, f"make_disk: {RNG}, got True (bool)"),
    (lambda: load_disk(-1), ValueError, f"load_disk: {RNG}, got -1 (int)"),
    (lambda: load_disk(0, dtype=int), TypeError, f"load_disk: {DTYPE}, got <class 'int'>"),
    (lambda: inside(np.zeros(3)), ValueError, "inside: points must have the shape (..., 2), got (3,)"),
    (lambda: inside(np.zeros((2, 1))), ValueError, "inside: points must have the shape (..., 2), got (2, 1)"),
    (lambda: inside(0.5), ValueError, "inside: points must have the shape (..., 2), got ()"),
    (lambda: inside([[0, 1]]), TypeError, f"inside: {POINTS}, got int64"),
    (lambda: inside([[0j, 1]]), TypeError, f"inside: {POINTS}, got complex128"),
    (lambda: inside([[True, False]]), TypeError, f"inside: {POINTS}, got bool"),
    (lambda: inside([["a", "b"]]), TypeError, f"inside: {POINTS}, got <U1"),
    (lambda: inside([[0.5], [0.5, 0.5]]), TypeError, "inside: points must be an array, got list (setting an array"),
    (lambda: inside(Tensor()), TypeError, "inside: points must be an array, got Tensor (call detach() first)"),
    (lambda: one_hot([0, 2]), ValueError, "one_hot: y must hold classes from 0 to 1, got 2"),
    (lambda: one_hot([0, -1]), ValueError, "one_hot: y must hold classes from 0 to 1, got -1"),
    (lambda: one_hot(np.uint64([2**64 - 1])), ValueError, f"one_hot: y must hold classes from 0 to 1, got {2**64 - 1}"),
    (lambda: one_hot([True], 1), ValueError, "one_hot: y must hold classes from 0 to 0, got True"),
    (lambda: one_hot([0.5]), TypeError, "one_hot: y must hold class indices of an integer dtype, got float64"),
    (lambda: one_hot([1.0]), TypeError, "one_hot: y must hold class indices of an integer dtype, got float64"),
    (lambda: one_hot([[0], [0, 1]]), TypeError, "one_hot: y must be an array, got list (setting an array"),
    (lambda: one_hot([0], 0), ValueError, "one_hot: n_classes must be at least 1, got 0"),
    (lambda: one_hot([0], 2.5), TypeError, "one_hot: n_classes must be an integer, got 2.5 (float)"),
    (lambda: one_hot([0], dtype=int), TypeError, f"one_hot: {DTYPE}, got <class 'int'>"),
    (lambda: batches(X, Y, 0), ValueError, "batches: batch_size must be at least 1, got 0"),
    (lambda: batches(X, Y, -2), ValueError, "batches: batch_size must be at least 1, got -2"),
    (lambda: batches(X, Y, 2.0), TypeError, "batches: batch_size must be an integer, got 2.0 (float)"),
    (lambda: batches(X, Y, np.arange(2)), TypeError, "batches: batch_size must be an integer, got array([0, 1]) (nd"),
    (
        lambda: batches(X, Y[1:], 2),
        ValueError,
        "batches: x and y must have the same length, got shapes (4, 2) and (3,)",
    ),
    (lambda: batches([[0.5, 0.5]], Y, 2), TypeError, "batches: x must be a numpy.ndarray, got list"),
    (lambda: batches(X, Tensor(), 2), TypeError, "batches: y must be a numpy.ndarray, got Tensor"),
    (lambda: batches(X, np.array(1), 2), ValueError, "batches: y must have samples along its first axis, got shape ()"),
    (lambda: batches(X, Y, 2, rng=True), TypeError, f"batches: {RNG}, got True (bool)"),
    (lambda: batches(X, Y, 2, rng=-3), ValueError, f"batches: {RNG}, got -3 (int)"),
    (lambda: DiskStream(-1), ValueError, f"{SEED} at least 0, got -1"),
    (lambda: DiskStream(1.0), TypeError, f"{SEED} an integer, got 1.0 (float)"),
    (lambda: DiskStream(True), TypeError, f"{SEED} an integer, got True (bool)"),
    (lambda: DiskStream(np.random.default_rng(0)), TypeError, f"{SEED} an integer, got Generator(PCG64)"),
    (lambda: DiskStream(0, dtype=int), TypeError, f"DiskStream: {DTYPE}, got <class 'int'>"),
    (lambda: DiskStream(0)[-1], ValueError, "DiskStream: index must be at least 0, got -1"),
    (lambda: DiskStream(0)[1.0], TypeError, "DiskStream: index must be an integer, got 1.0 (float)"),
    (lambda: DiskStream(0)[0, 1], TypeError, "DiskStream: index must be an integer, got (0, 1) (tuple)"),
    (lambda: DiskStream(0)[-3:5], ValueError, "DiskStream: start must be at least 0, got -3"),
    (lambda: DiskStream(0)[0:-5], ValueError, "DiskStream: stop must be at least 0, got -5"),
    (lambda: DiskStream(0)[0.5:2], TypeError, "DiskStream: start must be an integer, got 0.5 (float)"),
    (lambda: DiskStream(0)[3:], ValueError, "DiskStream: a slice must have a stop, because the stream has no end"),
    (lambda: DiskStream(0)[0:4:2], ValueError, "DiskStream: a slice must have the step 1, got 2"),
    (lambda: DiskStream(0)[4:0:-1], ValueError, "DiskStream: a slice must have the step 1, got -1"),
    (lambda: DiskStream(0)[0 : 2**70], ValueError, f"DiskStream: stop - start must be at most {2**63 // 32 - 1}, got"),
    (lambda: DiskStream(0)[2**256 + 1], ValueError, f"DiskStream: index must be at most {2**256}, got {2**256 + 1}"),
    (lambda: list(DiskStream(0)), TypeError, "DiskStream: a stream has no end to iterate to, use batches(start, stop,"),
    (lambda: DiskStream(0).batches(-1, 5, 2), ValueError, "DiskStream.batches: start must be at least 0, got -1"),
    (lambda: DiskStream(0).batches(0, -5, 2), ValueError, "DiskStream.batches: stop must be at least 0, got -5"),
    (lambda: DiskStream(0).batches(0, None, 2), TypeError, "DiskStream.batches: stop must be an integer, got None"),
    (lambda: DiskStream(0).batches(0, 5, 0), ValueError, "DiskStream.batches: batch_size must be at least 1, got 0"),
    (lambda: DiskStream(0).batches(0, 5, 1.5), TypeError, "DiskStream.batches: batch_size must be an integer, got 1.5"),
    (lambda: DiskStream(0).batches(0, 2**70, 2**70), ValueError, "DiskStream.batches: batch_size must be at most "),
]


@pytest.mark.parametrize(("call", "error", "message"), CASES, ids=[message for _, _, message in CASES])
def test_the_message_names_the_bad_argument(call, error, message):
    with pytest.raises(error, match="^" + re.escape(message)) as caught:
        call()
    assert caught.type is error


def test_a_refused_call_draws_nothing():
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state
    for call in (
        lambda: make_disk(-1, rng=generator),
        lambda: make_disk(1, rng=generator, dtype=int),
        lambda: load_disk(generator, dtype=int),
        lambda: batches(X, Y, 0, rng=generator),
        lambda: batches(X, Y[1:], 1, rng=generator),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
    assert generator.bit_generator.state == before
