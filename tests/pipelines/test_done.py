from dataclasses import replace

import pytest

from pipelines.done import Policy, Task, tasks
from pipelines.manifest import Output, Record
from pipelines.runs import Maker, Settings
from pipelines.sources import Source

SETTINGS = Settings()
MAKER = Maker("unet", "m1", SETTINGS, SETTINGS.digest(), run=1)
SOURCE = Source("/scans/a.jpg", "a.jpg", 7, "7-1")
OUTPUT = Output("a.jpg", 1, 640, 480, 1234, "9f", "toned", 31.2)
RECORD = Record(
    *("a.jpg", "/scans/a.jpg", None, "7-1", "written", "", "", 7, "0a", "JPEG", (OUTPUT,)),
    *("unet", "m1", SETTINGS.digest(), 1),
)
THERE = {"a.jpg": 1234}


def decide(*records: Record, there: dict[str, int] = THERE, maker: Maker = MAKER, keep: bool = False) -> Task:
    [task] = tasks([SOURCE], records, there.items(), Policy(maker, keep))
    return task


def test_what_was_made_so_of_this_source_and_is_there_is_done():
    task = decide(RECORD)
    assert task.standing == RECORD
    assert not task.doubtful


@pytest.mark.parametrize(
    ("record", "there"),
    [
        (RECORD, {}),
        (RECORD, {"a.jpg": 1233}),
        (RECORD, {"a.jpg.png": 1234}),
        (replace(RECORD, fingerprint="7-2"), THERE),
        (replace(RECORD, model_digest="m0"), THERE),
        (replace(RECORD, settings_digest="s0"), THERE),
        (replace(RECORD, name="b.jpg"), THERE),
        (replace(RECORD, offset=512), THERE),
        (replace(RECORD, outputs=(replace(OUTPUT, name="a~2.jpg"),)), THERE | {"a~2.jpg": 1234}),
    ],
)
def test_anything_else_is_made_again(record, there):
    assert decide(record, there=there).named == decide(there=there).named
    assert decide(record, there=there).standing is None


def test_of_several_records_the_latest_counts():
    old = replace(RECORD, model_digest="m0", at=1)
    assert decide(replace(RECORD, at=2), old).standing is not None
    assert decide(RECORD, replace(old, at=2)).standing is None


def test_after_another_run_the_files_are_looked_at():
    task = decide(RECORD, maker=replace(MAKER, run=3))
    assert task.standing == RECORD
    assert task.doubtful


def test_the_archive_may_have_moved():
    task = decide(replace(RECORD, uri="/elsewhere/a.jpg"))
    assert task.standing is not None
    assert task.standing.uri == "/scans/a.jpg"


REJECTED = replace(RECORD, status="rejected", reason="unreadable", outputs=())


def test_a_rejection_of_the_bytes_stands_and_one_of_the_day_does_not():
    assert decide(REJECTED).standing == REJECTED
    assert decide(replace(REJECTED, sha256="")).standing is None
    assert decide(replace(REJECTED, reason="timed_out")).standing is None
    assert decide(replace(REJECTED, reason="out_of_memory")).standing is None
    assert decide(replace(REJECTED, reason="crashed")).standing is None
    assert decide(replace(REJECTED, fingerprint="7-2")).standing is None


def test_skipped_and_copied_photos_are_done():
    skipped = replace(RECORD, status="skipped", outputs=())
    assert decide(skipped, there={}).standing == skipped
    copied = replace(RECORD, status="copied", format="BMP")
    assert decide(copied).standing == copied


def test_what_another_model_made_is_kept_when_asked_for():
    old = replace(RECORD, model_digest="m0", run=1)
    task = decide(old, maker=replace(MAKER, run=2), keep=True)
    assert task.standing == replace(old, status="kept")
    assert decide(old, there={"a.jpg": 1233}, keep=True).standing.outputs[0].bytes == 1233
    assert decide(old, there={}, keep=True).standing is None


@pytest.mark.parametrize("name", ["a.jpg", "a.jpg.png", "a.jpg.webp"])
def test_a_file_without_a_record_is_kept_when_asked_for(name):
    assert decide(there={name: 5}).standing is None
    standing = decide(there={name: 5}, keep=True).standing
    assert (standing.status, standing.outputs[0].name, standing.outputs[0].bytes) == ("kept", name, 5)
    assert decide(standing, there={name: 5}).standing is None


def test_what_was_kept_counts_as_made_for_the_run_that_made_it():
    kept = replace(RECORD, status="kept")
    assert decide(kept).standing == RECORD
    copy = replace(OUTPUT, sha256=RECORD.sha256)
    assert decide(replace(kept, outputs=(copy,))).standing.status == "copied"


def test_two_photos_never_share_a_file():
    pair = [Source("/scans/a.jpg", "a.jpg", 7, "7-1"), Source("/scans/a.jpg.png", "a.jpg.png", 8, "8-1")]
    png = Settings("png")
    maker = Maker("unet", "m1", png, png.digest())
    found = list(tasks(pair, [], [], Policy(maker)))
    assert [task.named.output("PNG") for task in found] == ["a.jpg~2.png", "a.jpg.png"]
    # What was made before the second photo came has its name now, and is made again under another one.
    before = replace(RECORD, outputs=(replace(OUTPUT, name="a.jpg.png"),), settings_digest=png.digest())
    assert [task.standing for task in tasks(pair, [before], [("a.jpg.png", 1234)], Policy(maker))] == [None, None]


def test_a_source_that_cannot_be_listed_is_tried_again():
    broken = replace(SOURCE, fingerprint="", fault="gone")
    [task] = tasks([broken], [replace(REJECTED, fingerprint="")], [], Policy(MAKER))
    assert task.standing is None


def test_what_is_named_after_a_photo_that_is_made_is_left_over():
    old = replace(RECORD, model_digest="m0")
    pages = {"a.jpg.p001.png": 3, "a.jpg.p1000.webp": 4}
    found = decide(old, there=THERE | pages | {"b.jpg.png": 5, "a.jpg~2.png": 6, "a.jpg.txt": 7})
    assert found.leftovers == (("a.jpg", "9f"), ("a.jpg.p001.png", ""), ("a.jpg.p1000.webp", ""))
    assert decide(RECORD, there=THERE | pages).leftovers == ()
    assert decide(there=THERE, keep=False).leftovers == (("a.jpg", ""),)
    paged = replace(old, outputs=(replace(OUTPUT, name="a.jpg.p001.png"), replace(OUTPUT, name="a.jpg.p002.png")))
    assert decide(paged, there={"a.jpg.p001.png": 3}).leftovers == (("a.jpg.p001.png", "9f"),)
    assert decide(paged, there={"a.jpg.p001.png": 3}, keep=True).leftovers == (("a.jpg.p001.png", ""),)
    renamed = replace(old, outputs=(replace(OUTPUT, name="a.jpg~2.png"),))
    assert decide(renamed, there={"a.jpg~2.png": 6}).leftovers == (("a.jpg~2.png", "9f"),)


def test_what_another_photo_may_become_is_no_leftover():
    pair = [Source("/scans/a.jpg", "a.jpg", 7, "7-1"), Source("/scans/a.jpg.png", "a.jpg.png", 8, "8-1")]
    before = replace(RECORD, outputs=(replace(OUTPUT, name="a.jpg.png"),), model_digest="m0")
    found = list(tasks(pair, [before], [("a.jpg.png", 1234), ("a.jpg~2.webp", 1)], Policy(MAKER)))
    assert [task.leftovers for task in found] == [(("a.jpg~2.webp", ""),), (("a.jpg.png", ""),)]
