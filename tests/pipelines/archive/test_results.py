from dataclasses import replace

import pytest

from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.archive.results import Effort, Result

WRITTEN = Record(
    name="a.jpg",
    uri="/scans/a.jpg",
    offset=None,
    fingerprint="1-1",
    status="written",
    outputs=tuple(
        Output(
            name="a.jpg", page=page, width=60, height=40, bytes=500, sha256="9f", tone="grayscale", colourfulness=31.2
        )
        for page in (1, 2)
    ),
    milliseconds={"read": 2.0, "encode": 3.0},
)
KEPT = replace(WRITTEN, status="kept")
REJECTED = replace(WRITTEN, status="rejected", reason="unreadable", outputs=())


def test_efforts_add_up():
    one = Effort(
        made=1, left_out=1, found=2, kept=3, replaced=4, removed=5, pixels=6, milliseconds=(1.0,) * len(STAGES)
    )
    total = one + one
    assert total == Effort(
        made=2, left_out=2, found=4, kept=6, replaced=8, removed=10, pixels=12, milliseconds=(2.0,) * len(STAGES)
    )
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
