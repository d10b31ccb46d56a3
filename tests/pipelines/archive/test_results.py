from dataclasses import replace

import pytest

from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.archive.results import Effort, Result

WRITTEN = Record(
    *("a.jpg", "/scans/a.jpg", None, "1-1", "written"),
    outputs=tuple(Output("a.jpg", page, 60, 40, 500, "9f", "grayscale", 31.2) for page in (1, 2)),
    milliseconds={"read": 2.0, "encode": 3.0},
)
KEPT = replace(WRITTEN, status="kept")
REJECTED = replace(WRITTEN, status="rejected", reason="unreadable", outputs=())


def test_efforts_add_up():
    one = Effort(1, 1, 2, 3, 4, 5, 6, (1.0,) * len(STAGES))
    total = one + one
    assert total == Effort(2, 2, 4, 6, 8, 10, 12, (2.0,) * len(STAGES))
    assert total.to_dict()["milliseconds"] == dict.fromkeys(STAGES, 2.0)


def test_a_photo_that_was_kept_counts_as_found_although_this_run_looked_at_it():
    assert Effort.of(Result(KEPT, now=True, removed=1)) == Effort(found=1, kept=1, removed=1)
    assert Effort.of(Result(WRITTEN, now=False)) == Effort(found=1)
    made = Effort.of(Result(REJECTED, now=True))
    assert (made.made, made.left_out, made.found) == (1, 1, 0)


def test_a_photo_that_was_made_counts_with_its_pixels_and_times():
    made = Effort.of(Result(WRITTEN, now=True, replaced=1))
    assert (made.made, made.left_out, made.replaced, made.pixels) == (1, 0, 1, 2 * 60 * 40)
    assert dict(zip(STAGES, made.milliseconds, strict=True))["encode"] == 3.0


def test_efforts_of_other_stages_do_not_add_up():
    with pytest.raises(ValueError, match="shorter"):
        Effort() + Effort(milliseconds=(1.0,))
