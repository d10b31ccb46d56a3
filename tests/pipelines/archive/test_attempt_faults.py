"""Faults in one attempt at a photo: whose they are, and what becomes of the photo."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
from attempts import context, green, never, photo_of

from pipelines.archive.attempt import attempt
from pipelines.archive.manifest import Record
from pipelines.errors import ModelError, Undecided


def test_a_model_that_fails_is_no_photo_s_fault(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    with pytest.raises(ModelError, match="AssertionError"):
        attempt(photo_of(tmp_path / "a.jpg"), context(never, {}))


def test_a_prediction_without_memory_is_tried_again_and_then_rejected(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))

    def short(_: np.ndarray) -> np.ndarray:
        raise MemoryError

    with pytest.raises(Undecided) as raised:
        attempt(photo_of(tmp_path / "a.jpg"), context(short, {}))
    assert isinstance(raised.value.__cause__, MemoryError)
    assert raised.value.__cause__.__cause__ is None
    record = attempt(photo_of(tmp_path / "a.jpg"), context(short, {}), last=True)
    assert (record.status, record.reason) == ("rejected", "out_of_memory")


def test_a_name_that_no_file_can_have_is_a_rejection_and_a_full_disk_is_none(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))

    def attempted(number: int) -> Record:
        def save(record: Record, files: dict[str, bytes]) -> Record:
            raise OSError(number, os.strerror(number))

        return attempt(photo_of(tmp_path / "a.jpg"), replace(context(green, {}), save=save))

    assert attempted(errno.ENAMETOOLONG).reason == "unwritable"
    with pytest.raises(OSError, match="No space left"):
        attempted(errno.ENOSPC)


def test_pixels_that_break_the_join_reject_their_own_photo_only(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    record = attempt(photo_of(tmp_path / "a.jpg"), context(lambda luminance: np.zeros((1, 0, 0, 2), np.float32), {}))
    assert (record.status, record.reason) == ("rejected", "failed")
    assert record.detail
