from collections.abc import Mapping
from dataclasses import replace

import pytest
from one_task import OUTPUT, RECIPE, RECORD, SOURCE, listing

from pipelines.archive.manifest import Left, Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.resume import File, Listed, Policy, Task, left_alone, tasks
from pipelines.files.sources import Source

OLD = replace(RECORD, outputs=(replace(OUTPUT, fingerprint=""),))  # before records had fingerprints
THERE = {"a.jpg": "1234-1-1"}
EDITED = {"a.jpg": "1234-2-2"}


def decide(
    *records: Record, there: Mapping[str, str] = THERE, recipe: Recipe = RECIPE, keep: bool = False, again: bool = False
) -> Task:
    [task] = tasks([SOURCE], records, listing(there), Policy(recipe=recipe, keep_existing=keep, replace_changed=again))
    return task


def verdict(task: Task) -> str:
    if task.existing is None or task.needs_source:
        return "make"
    return "look" if task.needs_check else "done"


def test_what_was_made_so_of_this_source_and_is_as_it_was_written_is_done():
    assert verdict(decide(RECORD)) == "done"
    assert decide(RECORD).existing == RECORD


@pytest.mark.parametrize(
    ("record", "there"),
    [
        (RECORD, {}),
        (RECORD, {"a.jpg.png": "1234-1-1"}),
        (replace(RECORD, fingerprint="8-2", bytes=8), THERE),
        (replace(RECORD, model_digest="m0"), THERE),
        (replace(RECORD, settings_digest="s0"), THERE),
        (replace(RECORD, name="b.jpg"), THERE),
        (replace(RECORD, offset=512), THERE),
        (replace(RECORD, outputs=(replace(OUTPUT, name="a~2.jpg"),)), THERE | {"a~2.jpg": "1234-1-1"}),
    ],
)
def test_anything_else_is_made_again(record, there):
    assert decide(record, there=there).named == decide(there=there).named
    assert verdict(decide(record, there=there)) == "make"


def test_of_several_records_the_latest_counts():
    old = replace(RECORD, model_digest="m0", at=1)
    assert verdict(decide(replace(RECORD, at=2), old)) == "done"
    assert verdict(decide(RECORD, replace(old, at=2))) == "make"


def test_a_source_with_another_fingerprint_and_its_size_is_compared_by_its_digest():
    touched = replace(RECORD, fingerprint="7-2")
    task = decide(touched)
    assert (task.needs_source, task.is_done, bool(task.files)) == (True, False, True)
    assert task.existing == RECORD
    assert decide(replace(touched, bytes=8)).existing is None
    assert decide(replace(touched, sha256="")).existing is None


def test_a_file_with_another_fingerprint_is_looked_at():
    for there in (EDITED, {"a.jpg": "1233-1-1"}):
        assert verdict(decide(RECORD, there=there)) == "look"
        assert decide(RECORD, there=there).existing == RECORD
    assert verdict(decide(RECORD, recipe=replace(RECIPE, run=3))) == "done"


def test_without_a_recorded_fingerprint_the_size_counts_within_a_run():
    assert verdict(decide(OLD)) == "done"
    assert verdict(decide(OLD, there={"a.jpg": "1233-1-1"})) == "look"
    # A run in between may have been killed after it wrote a file and before it wrote that file's record.
    assert verdict(decide(OLD, recipe=replace(RECIPE, run=3))) == "look"


def test_what_was_only_announced_is_looked_at_and_so_is_its_source():
    task = decide(replace(OLD, pending=True))
    assert (task.existing is not None, task.needs_check, task.needs_source) == (True, True, True)
    assert verdict(decide(replace(OLD, pending=True), there={})) == "make"


def test_the_archive_may_have_moved():
    task = decide(replace(RECORD, uri="/elsewhere/a.jpg"))
    assert task.existing is not None
    assert task.existing.uri == "/scans/a.jpg"


REJECTED = replace(RECORD, status="rejected", reason="unreadable", outputs=())


def test_a_rejection_of_the_bytes_stands_and_one_of_the_day_does_not():
    assert decide(REJECTED).existing == REJECTED
    assert decide(replace(REJECTED, sha256="")).existing is None
    assert decide(replace(REJECTED, reason="timed_out")).existing is None
    assert decide(replace(REJECTED, reason="out_of_memory")).existing is None
    assert decide(replace(REJECTED, reason="crashed")).existing is None
    assert decide(replace(REJECTED, fingerprint="7-2")).needs_source
    assert decide(replace(REJECTED, fingerprint="8-2", bytes=8)).existing is None
    for retry, verdict_of in ((("unreadable",), "make"), (("crashed",), "done")):
        policy = Policy(recipe=RECIPE, retry=frozenset(retry))
        assert verdict(next(tasks([SOURCE], [REJECTED], listing(THERE), policy))) == verdict_of


def test_photos_that_were_too_large_are_tried_again_with_higher_limits():
    too_large = replace(REJECTED, reason="too_large")
    assert verdict(decide(too_large)) == "done"
    higher = replace(RECIPE, settings=replace(RECIPE.settings, max_megapixels=500))
    assert verdict(decide(too_large, recipe=higher)) == "make"
    assert verdict(decide(OLD, recipe=higher)) == verdict(decide(OLD))


def test_skipped_and_copied_photos_are_done():
    skipped = replace(RECORD, status="skipped", outputs=())
    assert decide(skipped, there={}).existing == skipped
    copied = replace(RECORD, status="copied")
    assert decide(copied).existing == copied


def test_what_another_model_made_is_kept_when_asked_for():
    old = replace(RECORD, model_digest="m0", run=1)
    recipe = replace(RECIPE, run=2)
    assert decide(old, recipe=recipe, keep=True).existing == replace(old, status="kept")
    assert verdict(decide(old, recipe=recipe, keep=True)) == "done"
    assert verdict(decide(old, there=EDITED, recipe=recipe, keep=True)) == "look"
    assert verdict(decide(old, there={}, keep=True)) == "make"


@pytest.mark.parametrize("name", ["a.jpg", "a.jpg.png", "a.jpg.webp"])
def test_a_file_without_a_record_is_kept_when_asked_for(name):
    there = {name: "5-1-1"}
    assert verdict(decide(there=there)) == "make"
    task = decide(there=there, keep=True)
    assert verdict(task) == "look"
    assert (task.existing.status, task.existing.outputs[0].name, task.existing.outputs[0].bytes) == ("kept", name, 5)
    assert verdict(decide(task.existing, there=there)) == "make"


def test_what_was_kept_counts_as_made_for_the_run_that_made_it():
    kept = replace(RECORD, status="kept")
    assert decide(kept).existing == RECORD
    copy = replace(OUTPUT, sha256=RECORD.sha256)
    assert decide(replace(kept, outputs=(copy,))).existing.status == "copied"


CHANGED = replace(
    RECORD,
    status="kept",
    outputs=(replace(OUTPUT, sha256="e0", made_sha256="9f", fingerprint=EDITED["a.jpg"]),),
    warnings=("changed_since",),
)


def test_what_somebody_changed_stays_whatever_model_settings_and_source_are_now():
    assert decide(CHANGED, there=EDITED).existing == CHANGED
    for record in (CHANGED, replace(CHANGED, model_digest="m0"), replace(CHANGED, fingerprint="6-0")):
        assert verdict(decide(record, there=EDITED)) == "done"
        assert verdict(decide(record, there=EDITED, again=True)) == "make"
        assert verdict(decide(record, there={"a.jpg": "9-3-3"})) == "look"
        assert verdict(decide(record, there={})) == "make"


OCCUPIED = replace(
    *(CHANGED,), model_digest="", outputs=(replace(CHANGED.outputs[0], made_sha256=""),), warnings=("occupied",)
)


def test_a_photo_whose_place_is_taken_waits_as_long_as_it_would_be_written_there():
    assert verdict(decide(OCCUPIED, there=EDITED)) == "done"
    assert verdict(decide(OCCUPIED, there=EDITED, again=True)) == "make"
    assert verdict(decide(OCCUPIED, there={})) == "make"
    assert verdict(decide(replace(OCCUPIED, fingerprint="6-0"), there=EDITED)) == "make"
    png = Settings(format="png")
    assert (
        verdict(
            decide(
                OCCUPIED,
                there=EDITED,
                recipe=Recipe(model="unet", model_digest="m1", settings=png, settings_digest=png.digest()),
            )
        )
        == "make"
    )


def test_two_photos_never_share_a_file():
    pair = [
        Source(uri="/scans/a.jpg", name="a.jpg", size=7, fingerprint="7-1"),
        Source(uri="/scans/a.jpg.png", name="a.jpg.png", size=8, fingerprint="8-1"),
    ]
    png = Settings(format="png")
    recipe = Recipe(model="unet", model_digest="m1", settings=png, settings_digest=png.digest())
    found = list(tasks(pair, [], [], Policy(recipe=recipe)))
    assert [task.named.output("PNG") for task in found] == ["a.jpg~2.png", "a.jpg.png"]
    # What was made before the second photo came has its name now, and is made again under another one.
    before = replace(RECORD, outputs=(replace(OUTPUT, name="a.jpg.png"),), settings_digest=png.digest())
    first, second = tasks(pair, [before], listing({"a.jpg.png": "1234-1-1"}), Policy(recipe=recipe))
    assert (first.existing, second.existing) == (None, None)
    # The second photo may replace what was made of the first.
    assert (first.files, second.files) == (
        (),
        (File(name="a.jpg.png", fingerprint="1234-1-1", digests=frozenset(["9f"])),),
    )


def test_a_source_that_cannot_be_listed_is_tried_again():
    broken = replace(SOURCE, fingerprint="", fault="gone")
    [task] = tasks([broken], [replace(REJECTED, fingerprint="")], [], Policy(recipe=RECIPE))
    assert task.existing is None


def named_after(record: Record | None, there: Mapping[str, str]) -> dict[str, set[str]]:
    """Digests that earlier runs wrote, by the names of the files of a photo that is made."""
    task = decide(*([record] if record else []), there=there)
    assert task.existing is None
    return {file.name: set(file.digests) for file in task.files}


def test_a_photo_that_is_made_knows_its_files_and_which_of_them_earlier_runs_wrote():
    old = replace(RECORD, model_digest="m0")
    pages = {"a.jpg.p001.png": "3-1", "a.jpg.p1000.webp": "4-1"}
    found = named_after(old, THERE | pages | {"b.jpg.png": "5-1", "a.jpg~2.png": "6-1", "a.jpg.txt": "7-1"})
    assert found == {"a.jpg": {"9f"}, "a.jpg.p001.png": set(), "a.jpg.p1000.webp": set()}
    assert decide(RECORD, there=THERE | pages).files == ()
    assert named_after(None, THERE) == {"a.jpg": set()}
    paged = replace(old, outputs=(replace(OUTPUT, name="a.jpg.p001.png"), replace(OUTPUT, name="a.jpg.p002.png")))
    assert named_after(paged, {"a.jpg.p001.png": "3-1"}) == {"a.jpg.p001.png": {"9f"}}
    renamed = replace(old, outputs=(replace(OUTPUT, name="a.jpg~2.png"),))
    assert named_after(renamed, {"a.jpg~2.png": "6-1"}) == {"a.jpg~2.png": {"9f"}}
    changed = replace(CHANGED, model_digest="m0", outputs=(*CHANGED.outputs, replace(OUTPUT, name="gone")))
    assert named_after(changed, EDITED) == {"a.jpg": {"9f"}}
    assert named_after(replace(OCCUPIED, fingerprint="6-0"), THERE) == {"a.jpg": set()}
    left = replace(REJECTED, sha256="", left=(Left("a.jpg", "9f"),))
    assert named_after(left, THERE) == {"a.jpg": {"9f"}}


def test_every_digest_that_was_ever_announced_for_a_file_is_known():
    first = replace(RECORD, model_digest="m0", at=1)
    second = replace(OLD, outputs=(replace(OUTPUT, sha256="ab"),), settings_digest="s0", at=2, pending=True)
    [file] = decide(first, second).files
    assert file.digests == {"9f", "ab"}


def test_what_another_photo_may_become_does_not_belong_to_a_photo():
    pair = [
        Source(uri="/scans/a.jpg", name="a.jpg", size=7, fingerprint="7-1"),
        Source(uri="/scans/a.jpg.png", name="a.jpg.png", size=8, fingerprint="8-1"),
    ]
    before = replace(RECORD, outputs=(replace(OUTPUT, name="a.jpg.png"),), model_digest="m0")
    there = listing({"a.jpg.png": "1234-1-1", "a.jpg~2.webp": "1-1"})
    found = list(tasks(pair, [before], there, Policy(recipe=RECIPE)))
    assert [[file.name for file in task.files] for task in found] == [["a.jpg~2.webp"], ["a.jpg.png"]]


def test_a_photo_that_a_trial_leaves_alone_keeps_its_record():
    old = replace(RECORD, model_digest="m0")
    assert left_alone(decide(old)).existing == old
    assert verdict(left_alone(decide(old))) == "done"
    assert verdict(left_alone(decide(old, there=EDITED))) == "look"
    assert verdict(left_alone(decide(old, there={}))) == "make"
    assert verdict(left_alone(decide())) == "make"


def test_of_two_photos_with_one_name_each_has_its_own_record():
    pair = [replace(SOURCE, uri=f"gs://scans/{folder}/a.jpg") for folder in ("box/", "box")]
    names = ("a.jpg", "a~2.jpg")
    records = [
        replace(RECORD, uri=source.uri, outputs=(replace(OUTPUT, name=name),))
        for source, name in zip(pair, names, strict=True)
    ]
    there = [Listed(name=name, bytes=1234, fingerprint=OUTPUT.fingerprint) for name in names]
    found = list(tasks(pair, records, there, Policy(recipe=RECIPE)))
    assert [task.existing for task in found] == records
    assert [task.existing for task in tasks(pair, records[1:], there, Policy(recipe=RECIPE))] == [None, records[1]]
    # Of one photo alone, the record holds wherever the archive is now.
    [task] = tasks(pair[:1], records[:1], there, Policy(recipe=RECIPE))
    assert task.existing == records[0]
