import errno
import json
import os
import subprocess
import sys

import cv2
import memory_bench
import pytest

from pipelines.errors import Rejected
from pipelines.images import memory
from pipelines.images.memory import out_of_memory


@pytest.fixture(scope="module")
def swept() -> dict[str, dict[str, int]]:
    """What comes out of a small photo of each format under 6 limits of memory, by processes of their own."""
    command = [sys.executable, memory_bench.__file__, "--side=256", "--steps=6", "--most=80", "--json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


@pytest.mark.parametrize("name", memory_bench.photos(8))
def test_too_little_memory_never_makes_a_photo_broken_or_different(swept, name):
    found = swept[name]
    assert found["memory"]
    assert not [said for said in found if memory_bench.is_fault(said)]


def opencv_error() -> cv2.error:
    error = cv2.error("OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes")
    error.code = cv2.Error.StsNoMem
    return error


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        opencv_error(),
        cv2.error("std::bad_alloc"),
        OSError("out of memory when writing image file"),
        OSError("encoder error -9"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("Pixel allocation failed: Out of memory"),
        caused(SystemError("decode returned a result with an exception set"), MemoryError()),
        caused(Rejected("unreadable"), caused(ValueError(), MemoryError())),
        type("ResourceExhaustedError", (Exception,), {})(),
    ],
    ids=repr,
)
def test_libraries_say_in_many_ways_that_memory_ran_out(error):
    assert out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError("broken data stream when reading image file"),
        OSError("out of memory when reading image file"),
        OSError("decoder error -9"),
        OSError(errno.ENOSPC, "No space left on device"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "out of memory.jpg"),
        Rejected("unwritable", "out of memory.jpg: File name too long"),
        cv2.error("bad argument"),
        KeyError("memory"),
    ],
    ids=repr,
)
def test_no_other_error_is_taken_for_a_lack_of_memory(error):
    assert not out_of_memory(error)


def test_memory_is_short_of_more_than_there_is():
    assert not memory.is_short(1 << 20)
    assert memory.is_short(1 << 60)


def test_what_is_suppressed_is_never_a_lack_of_memory():
    with memory.suppressed(ValueError):
        raise ValueError
    with pytest.raises(MemoryError), memory.suppressed(Exception):
        raise MemoryError
    with pytest.raises(ZeroDivisionError), memory.suppressed(ValueError):
        raise ZeroDivisionError
