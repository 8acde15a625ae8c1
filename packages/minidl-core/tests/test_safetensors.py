"""Files of the format safetensors: round trips, hostile files, and writing in one step."""

import errno
import json
import os
import re
import stat
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from minidl.files import safetensors
from minidl.files.replacing import replacing

DTYPES = [np.dtype(code) for code in safetensors.DTYPES.values()]
TEXT = st.text(st.characters(codec="utf-8"))
SHAPES = arrays_of.array_shapes(min_dims=0, min_side=0)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: arrays_of.arrays(dtype, SHAPES))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def entry(dtype="F32", shape=(2,), start=0, stop=8):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def file_of(header, data=bytes(8)):
    """Return the bytes of a file with any header, given as data or as text."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype
        assert array.shape == theirs[name].shape
        assert array.tobytes() == theirs[name].tobytes()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(arrays=st.dictionaries(TEXT, ARRAYS, max_size=4), metadata=st.dictionaries(TEXT, TEXT, max_size=2))
def test_what_was_written_is_read_bit_for_bit(tmp_path_factory, arrays, metadata):
    path = tmp_path_factory.mktemp("any") / "file"
    arrays.pop(safetensors.METADATA, None)
    safetensors.write(path, arrays, metadata)
    found, words = safetensors.read(path)
    same(dict(sorted(found.items())), dict(sorted(arrays.items())))
    assert words == metadata
    for array in found.values():
        assert array.flags.owndata
        assert array.flags.writeable
        assert array.dtype.isnative


def test_any_layout_and_byte_order_is_written(path):
    square = np.arange(6.0).reshape(2, 3)
    arrays = {"a": square.T, "b": square[:, ::2], "c": square.astype(">f8"), "d": square[::-1]}
    safetensors.write(path, arrays, {})
    same(safetensors.read(path)[0], {name: array.astype(np.float64) for name, array in arrays.items()})


def test_the_bytes_are_those_that_the_format_asks_for(path):
    safetensors.write(path, {"w": np.array([1, 2], np.uint8), "v": np.ones((1, 1), np.float32)}, {"by": "me"})
    text = (
        b'{"__metadata__":{"by":"me"},"v":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},'
        b'"w":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}'
    )
    text += b" " * (-len(text) % 8)
    assert path.read_bytes() == len(text).to_bytes(8, "little") + text + np.float32(1).tobytes() + b"\1\2"


def test_equal_content_makes_equal_bytes(path):
    arrays = {"b": np.zeros(2, np.float16), "a": np.ones(3), "c": np.ones(1, np.float16)}
    safetensors.write(path, arrays, {})
    first = path.read_bytes()
    safetensors.write(path, dict(reversed(arrays.items())), {})
    assert path.read_bytes() == first


def test_the_library_of_the_format_reads_and_writes_the_same(path):
    library = pytest.importorskip("safetensors.numpy")
    rng = np.random.default_rng(0)
    arrays = {code: rng.integers(0, 2, (2, 3)).astype(dtype) for code, dtype in safetensors.DTYPES.items()}
    safetensors.write(path, arrays, {"by": "minidl"})
    theirs = library.load_file(path)
    same(dict(sorted(theirs.items())), dict(sorted(arrays.items())))
    library.save_file(arrays, path, {"by": "the library"})
    found, words = safetensors.read(path)
    same(dict(sorted(found.items())), dict(sorted(arrays.items())))
    assert words == {"by": "the library"}


TWO = {"a": entry(), "b": entry(start=8, stop=16)}
HOSTILE = {
    "empty": (b"", "header of 0 bytes in a file of 0"),
    "cut in the length": (b"\x10\0\0", "in a file of 3"),
    "length beyond the file": (file_of({"a": entry()})[:20], "in a file of 20"),
    "huge length": (b"\xff" * 8 + b"{}", r"header of 18446744073709551615 bytes"),
    "no object": (file_of([1]), "begins with {"),
    "spaces in front": (file_of(b" {}", b""), "begins with {"),
    "empty header": (file_of(b"", b""), "begins with {"),
    "no UTF-8": (file_of(b'{"\xff": 1}'), "utf-8"),
    "no JSON": (file_of(b'{"a": '), "expected JSON"),
    "two objects": (file_of(b"{}{}", b""), "expected JSON"),
    "deep JSON": (file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "expected JSON.*recursion"),
    "deep objects": (file_of(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "expected JSON.*recursion"),
    "many digits": (file_of(b'{"a": ' + b"9" * 10_000 + b"}"), "expected JSON.*digits"),
    "nan": (file_of(b'{"a": NaN}'), "NaN is no number"),
    "twins": (file_of(b'{"a": {}, "a": {}}'), "'a' stands there twice"),
    "twins inside": (file_of(b'{"a": {"dtype": "F32", "dtype": "F64"}}'), "'dtype' stands there twice"),
    "metadata no object": (file_of({"__metadata__": []}, b""), r"__metadata__: .*strings, got \[\]"),
    "metadata no strings": (
        file_of({"__metadata__": {"a": 1}}, b""),
        "__metadata__: .*strings, got {'a': 1}",
    ),
    "entry no object": (file_of({"a": 3}), "'a': expected an object"),
    "entry with less": (file_of({"a": {"dtype": "F32"}}), "'a': expected an object"),
    "entry with more": (file_of({"a": {**entry(), "more": 1}}), "'a': expected an object"),
    "unknown dtype": (file_of({"a": entry("BF16")}), "'a': expected a dtype .*got 'BF16'"),
    "dtype no string": (file_of({"a": entry(["F32"])}), "'a': expected a dtype"),
    "bool in the shape": (file_of({"a": entry(shape=[True, 2])}), "'a': shape: .*True"),
    "float in the shape": (file_of({"a": entry(shape=[2.0])}), "'a': shape: .*2.0"),
    "negative shape": (file_of({"a": entry(shape=[-2])}), "'a': shape: .*-2"),
    "shape no list": (file_of({"a": {**entry(), "shape": 2}}), "'a': shape: .*got 2"),
    "huge shape": (file_of({"a": entry(shape=[2**32, 2**32])}), "'a': expected the shape of an array"),
    "huge empty shape": (
        file_of({"a": entry(shape=[0, 2**62, 2], stop=0)}, b""),
        "'a': expected the shape of an array",
    ),
    "many axes": (file_of({"a": entry(shape=[1] * 33, stop=4)}), "'a': expected the shape of an array"),
    "other shape": (file_of({"a": entry(shape=[3])}), r"'a': expected data_offsets of 12 bytes for F32 \(3,\)"),
    "one offset": (file_of({"a": {**entry(), "data_offsets": [8]}}), "'a': expected data_offsets"),
    "three offsets": (file_of({"a": {**entry(), "data_offsets": [0, 8, 8]}}), "'a': expected data_offsets"),
    "offsets no list": (file_of({"a": {**entry(), "data_offsets": {"0": 8}}}), "'a': data_offsets: expected"),
    "float offsets": (file_of({"a": entry(stop=8.0)}), "'a': data_offsets: expected"),
    "bool offsets": (file_of({"a": entry("U8", [1], False, True)}, b"\0"), "'a': data_offsets: expected"),
    "negative offsets": (file_of({"a": entry(start=-8, stop=0)}), "'a': data_offsets: expected"),
    "offsets backwards": (file_of({"a": entry(start=8, stop=0)}), "'a': expected data_offsets"),
    "offsets outside": (file_of({"a": entry(shape=[4], stop=16)}), "expected 16 bytes behind the header.*got 8"),
    "overlap": (file_of({**TWO, "b": entry(start=4, stop=12)}, bytes(12)), "'b': expected to begin at 8.*got 4"),
    "twice the same": (file_of({**TWO, "b": entry()}), "'b': expected to begin at 8.*got 0"),
    "a hole": (file_of({**TWO, "b": entry(start=9, stop=17)}, bytes(17)), "'b': expected to begin at 8.*got 9"),
    "a hole in front": (file_of({"a": entry(start=8, stop=16)}, bytes(16)), "'a': expected to begin at 0"),
    "more at the end": (file_of({"a": entry()}, bytes(9)), "expected 8 bytes behind the header"),
    "less at the end": (file_of({"a": entry()}, bytes(7)), "expected 8 bytes behind the header"),
    "a bool of 2": (file_of({"a": entry("BOOL", [1], 0, 1)}, b"\2"), "'a': expected bytes of 0 and 1, got 2"),
}


@pytest.mark.parametrize(("content", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_in_words(path, content, words):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        safetensors.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 2000


def test_nothing_is_allocated_beyond_the_file(path):
    """A header that asks for terabytes in a small file, and a length that asks for a large header."""
    tracemalloc.start()
    try:
        for content in (file_of({"a": entry(shape=[2**40], stop=2**42)}), (10**8).to_bytes(8, "little") + b"{" * 100):
            path.write_bytes(content)
            with pytest.raises(ValueError, match="expected"):
                safetensors.read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_long_name_is_shortened_in_the_error(path):
    path.write_bytes(file_of({"a" * 10_000: 1}))
    with pytest.raises(ValueError, match=r"'aaa.*\.\.\.aaa.*'") as caught:
        safetensors.read(path)
    assert len(str(caught.value)) < 500


def test_empty_arrays_and_scalars_have_their_place(path):
    arrays = {
        "none": np.empty((0, 3), np.float32),
        "number": np.array(3),
        "last": np.empty(0),
        "first": np.empty((2, 0)),
    }
    safetensors.write(path, arrays, {})
    found, _ = safetensors.read(path)
    same(dict(sorted(found.items())), dict(sorted(arrays.items())))


WRONG = {
    "complex": ({"a": np.ones(1, complex)}, {}, TypeError, "'a': expected an array of bool, integers or floats"),
    "object": ({"a": np.ones(1, object)}, {}, TypeError, "object"),
    "metadata": ({}, {"a": 1}, ValueError, "expected an object of strings"),
    "the name of the metadata": ({"__metadata__": np.ones(1)}, {}, ValueError, "__metadata__"),
    "a name that is no text": ({"\ud800": np.ones(1)}, {}, ValueError, "utf-8"),
}


@pytest.mark.parametrize(("arrays", "metadata", "kind", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_written_leaves_the_old_file(path, arrays, metadata, kind, words):
    path.write_bytes(b"old")
    with pytest.raises(kind, match=words) as caught:
        safetensors.write(path, arrays, metadata)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


def test_a_full_disk_is_one_clear_error_and_the_old_file_stays(path):
    resource = pytest.importorskip("resource")
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))  # the system then refuses longer files
    try:
        with pytest.raises(OSError, match=re.escape(str(path))) as caught:
            safetensors.write(path, {"a": np.zeros(1000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


def test_an_error_of_the_disk_at_the_end_leaves_the_old_file(path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=f"No space left.*{re.escape(str(path))}"):
        safetensors.write(path, {}, {})
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


def test_a_folder_that_takes_no_files_is_one_clear_error(path, monkeypatch):
    def refuse(file, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "open", refuse)  # root, who may run the tests, is refused nothing
    with pytest.raises(PermissionError, match=f"Permission denied: '{re.escape(str(path))}'"):
        safetensors.write(path, {}, {})
    assert not [*path.parent.iterdir()]


def test_a_folder_that_is_not_there_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"none.model\.safetensors"):
        safetensors.write(path.parent / "none" / path.name, {}, {})
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        safetensors.read(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_happens_while_a_file_is_written_the_old_one_stays(path, error):
    path.write_bytes(b"old")

    def write():
        with replacing(path) as file:
            file.write(b"new")
            assert path.read_bytes() == b"old"
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


def test_a_folder_or_a_device_is_not_replaced(tmp_path):
    for place in (tmp_path, os.devnull):
        with pytest.raises(ValueError, match="expected the name of a file, got a folder or a device"):
            safetensors.write(place, {}, {})


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_permissions_stay_and_a_link_goes_on_to_point_to_the_file(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    old = os.umask(0o027)
    try:
        safetensors.write(path, {}, {})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    link.symlink_to(path.name)
    safetensors.write(link, {"a": np.ones(1)}, {})
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert list(safetensors.read(path)[0]) == ["a"]
