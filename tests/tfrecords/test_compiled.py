import logging
import os
import subprocess
import sys
from collections.abc import Callable

import numba
import numpy as np
import pytest

from tfrecords import compiled


@compiled.helper
def twice(value: int) -> int:
    return 2 * value


@compiled.compiled("void(int64[::1])")
def double(values: np.ndarray) -> None:
    for index in range(len(values)):
        values[index] = twice(values[index])


def test_a_loop_is_compiled_at_its_first_call_and_works_in_place():
    values = np.arange(3)
    double(values)
    double(values)
    np.testing.assert_array_equal(values, [0, 4, 8])


LOADED = """
import pathlib, sys
from pipelines.dataset import examples
examples.warm_up()
folder = pathlib.Path(sys.argv[1])
print(sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*.nb?")))
"""


def test_compiling_for_long_is_logged(monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "_NOTICEABLE_S", 0.0)

    @compiled.compiled("int64(int64)")
    def triple(number: int) -> int:
        return 3 * number

    with caplog.at_level(logging.INFO, "tfrecords.compiled"):
        assert triple(14) == 42
    assert [record.getMessage()[:9] for record in caplog.records] == ["compiling"]


def tripling() -> Callable[[int], int]:
    """A loop as a new process has it: not compiled, nor loaded."""

    @compiled.compiled("int64(int64)")
    def triple(number: int) -> int:
        return 3 * number

    return triple


@pytest.mark.parametrize("kept", ["*.nbi", "*.nbc"])
def test_damaged_files_of_compiled_code_are_not_used(monkeypatch, tmp_path, kept):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert tripling()(14) == 42
    [path] = tmp_path.rglob(kept)
    for damaged in (b"", path.read_bytes()[:-100]):  # as a power cut may leave it
        path.write_bytes(damaged)
        assert tripling()(14) == 42


def test_what_an_image_compiled_for_avx2_is_loaded_by_its_workers(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "NUMBA_CACHE_DIR": str(tmp_path),
        # As deploy/Dockerfile and deploy/dataflow/as_autochrome.sh set them.
        "NUMBA_CPU_NAME": "x86-64-v3",
        "NUMBA_CPU_FEATURES": "",
    }
    command = [sys.executable, "-c", LOADED, str(tmp_path)]
    built, started = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert ".nbc" in built
    assert started == built


def test_arrays_that_cannot_be_written_to_are_read():
    photo = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)

    def total(pixels):
        found = 0
        for value in pixels.ravel():
            found += value
        return found

    summed = compiled.compiled("int64(uint8[:, :, ::1])")(total)
    photo.flags.writeable = False
    assert summed(photo) == photo.sum()
