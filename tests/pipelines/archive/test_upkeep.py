"""One photo after another through whatever earlier runs and people have left in the output, without a model."""

import os
from dataclasses import replace

import pytest
from one_photo import BETTER, KEEP, PNG, RETOUCHED, SKIP, Desk, Killed

from pipelines.archive import changes, places
from pipelines.archive.resume import Policy
from pipelines.files import contents, marks


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("policy", [BETTER, PNG, SKIP, replace(BETTER, keep_existing=True)])
def test_a_retouched_photo_is_neither_replaced_nor_removed(desk, policy):
    made = desk.run(KEEP)
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    kept = desk.run(policy)
    assert desk.contents() == {"a.jpg": RETOUCHED}
    assert (kept.status, kept.warnings) == ("kept", ("changed_since",))
    [output], [before] = kept.outputs, made.outputs
    assert (output.sha256, output.made_sha256) == (contents.sha256(RETOUCHED), before.sha256)
    assert (kept.settings_digest, kept.run) == (made.settings_digest, 1)
    assert desk.run(policy) == kept


def test_retouched_again_it_is_still_known_what_was_made(desk):
    made = desk.run(KEEP)
    for data in (RETOUCHED, b"another look at it"):
        (desk.folder / "a.jpg").write_bytes(data)
        [output] = desk.run(PNG).outputs
        assert (output.sha256, output.made_sha256) == (contents.sha256(data), made.outputs[0].sha256)


def test_a_change_that_is_taken_back_is_none(desk):
    made = desk.run(KEEP)
    whole = (desk.folder / "a.jpg").read_bytes()
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    desk.run(KEEP)
    (desk.folder / "a.jpg").write_bytes(whole)
    assert desk.run(KEEP) == made
    assert desk.run(PNG).status == "written"
    assert desk.contents().keys() == {"a.jpg.png"}


def test_a_changed_photo_is_made_again_when_asked_for(desk):
    made = desk.run(KEEP)
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    assert desk.run(replace(KEEP, replace_changed=True)) == made
    assert desk.agrees(made)
    # Another name is no reason to remove what somebody made.
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    record = desk.run(replace(PNG, replace_changed=True))
    assert desk.contents()["a.jpg"] == RETOUCHED
    assert record.warnings == ("a.jpg is still in the output; this run did not make it",)


def test_one_retouched_page_keeps_the_others(desk):
    desk.pages = 3
    desk.run(KEEP)
    (desk.folder / "a.jpg.p002.jpg").write_bytes(RETOUCHED)
    (desk.folder / "a.jpg.p003.jpg").unlink()
    before = desk.contents()
    kept = desk.run(PNG)
    assert desk.contents() == before
    assert [output.was_changed for output in kept.outputs] == [False, True]
    assert desk.agrees(kept)


def test_a_file_that_no_record_names_is_never_written_over(desk):
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    kept = desk.run(KEEP)
    assert (desk.contents(), kept.status, kept.warnings) == ({"a.jpg": RETOUCHED}, "kept", ("occupied",))
    assert (kept.model, kept.model_digest, kept.settings_digest) == ("", "", "")
    assert desk.agrees(kept)
    assert desk.run(KEEP) == kept
    # Elsewhere there is room, and what was in the way is no photo's file.
    assert desk.run(PNG).warnings == ("a.jpg is still in the output; this run did not make it",)
    assert desk.contents().keys() == {"a.jpg", "a.jpg.png"}
    assert desk.run(replace(KEEP, replace_changed=True)).status == "written"


def test_with_one_page_in_the_way_no_page_is_written(desk):
    desk.pages = 3
    (desk.folder / "a.jpg.p002.jpg").write_bytes(RETOUCHED)
    kept = desk.run(KEEP)
    assert desk.contents() == {"a.jpg.p002.jpg": RETOUCHED}
    assert [(output.name, output.page) for output in kept.outputs] == [("a.jpg.p002.jpg", 2)]
    assert desk.run(KEEP) == kept


def test_a_file_that_is_kept_without_a_record_gets_one_with_its_digest(desk):
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    kept = desk.run(replace(KEEP, keep_existing=True))
    assert (kept.status, kept.warnings) == ("kept", ())
    assert desk.agrees(kept)


@pytest.mark.parametrize("lost", ["marks", "journal"])
def test_what_a_killed_run_wrote_is_not_somebody_else_s(desk, lost):
    def killed(policy: Policy) -> None:
        before = [*desk.records]
        with pytest.raises(Killed):
            desk.run(policy, dies="after")
        if lost == "marks":
            desk.unmark()
        elif desk.can_mark():
            desk.records = before

    killed(BETTER)
    assert desk.contents()
    assert desk.run(KEEP).status == "written"
    killed(BETTER)
    assert desk.run(PNG).warnings == ()
    killed(BETTER)
    record = desk.run(BETTER)
    assert (record.status, record.warnings) == ("written", ())
    assert desk.contents().keys() == {"a.jpg"}


def test_what_a_killed_run_made_of_a_new_source_is_not_somebody_else_s(desk):
    desk.run(KEEP)
    desk.scan()
    before = [*desk.records]
    with pytest.raises(Killed):
        desk.run(KEEP, dies="after")
    desk.records = before if desk.can_mark() else desk.records
    desk.scan()
    record = desk.run(KEEP)
    assert (record.status, record.warnings) == ("written", ())
    assert desk.agrees(record)


def test_an_earlier_version_that_somebody_put_back_stays(desk):
    desk.run(KEEP)
    first = (desk.folder / "a.jpg").read_bytes()
    better = desk.run(BETTER)
    (desk.folder / "a.jpg").write_bytes(first)
    marks.write(str(desk.folder / "a.jpg"), 1, contents.sha256(first))
    for policy in (BETTER, PNG):
        kept = desk.run(policy)
        assert (kept.status, kept.warnings, kept.run) == ("kept", ("changed_since",), better.run)
    assert desk.contents() == {"a.jpg": first}


def test_without_a_manifest_marks_tell_which_files_may_be_replaced(desk):
    desk.run(KEEP)
    desk.records = []
    assert desk.run(BETTER).status == ("written" if desk.can_mark() else "kept")
    desk.unmark()
    desk.records = []
    assert desk.run(KEEP).warnings == ("occupied",)


def test_what_a_killed_run_was_about_to_write_over_is_not_somebody_else_s(desk):
    desk.run(KEEP)
    with pytest.raises(Killed):
        desk.run(BETTER, dies="before")
    record = desk.run(BETTER)
    assert (record.status, record.warnings) == ("written", ())
    assert desk.agrees(record)


def test_pages_of_earlier_settings_stay_when_asked_for_even_where_one_is_gone(desk):
    desk.pages = 2
    desk.run(KEEP)
    (desk.folder / "a.jpg.p002.jpg").unlink()
    record = desk.run(replace(PNG, keep_existing=True))
    assert desk.contents().keys() == {"a.jpg.p001.jpg", "a.jpg.p001.png", "a.jpg.p002.png"}
    assert [left.name for left in record.left] == ["a.jpg.p001.jpg"]


def test_what_a_killed_run_wrote_is_not_made_again(desk):
    with pytest.raises(Killed):
        desk.run(KEEP, dies="after")
    before = contents.fingerprint(str(desk.folder / "a.jpg"))
    task = desk.task(KEEP)
    assert changes.settled(task, KEEP, str(desk.folder)) is not None
    assert desk.run(KEEP).status == "written"
    assert contents.fingerprint(str(desk.folder / "a.jpg")) == before


def test_without_any_record_the_same_bytes_are_left_alone(desk):
    made = desk.run(KEEP)
    before = contents.fingerprint(str(desk.folder / "a.jpg"))
    desk.records = []
    assert desk.run(KEEP) == made
    assert contents.fingerprint(str(desk.folder / "a.jpg")) == before


def test_an_empty_file_of_a_power_cut_is_made_again(desk):
    made = desk.run(KEEP)
    for records in (desk.records, []):
        desk.records = records
        (desk.folder / "a.jpg").write_bytes(b"")
        assert desk.run(KEEP) == made
        assert desk.agrees(made)


def test_the_file_of_a_photo_that_was_rejected_is_replaced_once_it_can_be_read(desk):
    desk.run(KEEP)
    desk.broken = True
    rejected = desk.run(BETTER)
    assert (rejected.status, [left.name for left in rejected.left]) == ("rejected", ["a.jpg"])
    assert desk.contents().keys() == {"a.jpg"}
    desk.broken = False
    desk.records = [replace(rejected, sha256="")]
    written = desk.run(BETTER)
    assert (written.status, written.left, written.warnings) == ("written", (), ())
    assert desk.agrees(written)


def test_a_copied_folder_is_believed_once_its_digests_are_compared(desk):
    made = desk.run(KEEP)
    path = desk.folder / "a.jpg"
    path.write_bytes(path.read_bytes())
    assert desk.task(KEEP).needs_check
    assert desk.run(KEEP) == made
    assert not desk.task(KEEP).needs_check


def test_a_file_that_may_not_be_read_stays(desk, monkeypatch):
    desk.run(KEEP)
    path = desk.folder / "a.jpg"
    path.write_bytes(RETOUCHED)

    def refused(uri: str) -> bytes:
        raise PermissionError(13, "Permission denied", uri)

    monkeypatch.setattr(contents.storage, "read", refused)  # tests may run as root, who may read everything
    kept = desk.run(PNG)
    assert (kept.status, kept.warnings, kept.outputs[0].sha256) == ("kept", ("changed_since",), "")
    assert path.read_bytes() == RETOUCHED


@pytest.mark.parametrize("kind", ["folder", "link to nowhere", "pipe"])
def test_what_is_no_file_is_never_replaced(tmp_path, kind):
    path = tmp_path / "a.jpg"
    match kind:
        case "folder":
            path.mkdir()
        case "link to nowhere":
            path.symlink_to("/nowhere/a.jpg")
        case "pipe":
            os.mkfifo(path)
    before = path.lstat().st_ino
    with pytest.raises(FileExistsError, match="something that is not a file"):
        places.place(str(tmp_path), {"a.jpg": b"photo"}, {}, 1, replace_changed=True)
    assert path.lstat().st_ino == before
