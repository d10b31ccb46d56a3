from dataclasses import replace

import pytest
from one_photo import BETTER, KEEP, RETOUCHED, Desk

from pipelines.archive import changes
from pipelines.archive.manifest import CHANGED, OCCUPIED, Record
from pipelines.files import contents


@pytest.fixture
def desk(tmp_path) -> Desk:
    made = Desk(tmp_path)
    made.run(KEEP)
    return made


def settled(desk: Desk, policy=KEEP) -> Record | None:
    return changes.settled(desk.task(policy), policy, str(desk.folder))


def test_a_new_photo_is_to_be_made(tmp_path):
    assert settled(Desk(tmp_path)) is None


def test_a_copied_file_with_the_same_bytes_stays_with_its_new_fingerprint(desk):
    path = desk.folder / "a.jpg"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    now = settled(desk)
    assert now == desk.records[0]
    assert now.outputs[0].fingerprint == contents.fingerprint(str(path)) != desk.records[0].outputs[0].fingerprint


def test_a_retouched_file_stays_and_its_record_tells_both_digests(desk):
    made = desk.records[0].outputs[0].sha256
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    for policy in (KEEP, BETTER):
        now = settled(desk, policy)
        assert (now.status, now.warnings) == ("kept", (CHANGED,))
        [output] = now.outputs
        assert (output.sha256, output.made_sha256) == (contents.sha256(RETOUCHED), made)
        assert output.bytes == len(RETOUCHED)
    assert settled(desk, replace(KEEP, replace_changed=True)) is None


def test_a_file_that_is_gone_or_empty_is_made_again(desk):
    (desk.folder / "a.jpg").write_bytes(b"")
    assert settled(desk) is None
    (desk.folder / "a.jpg").unlink()
    assert settled(desk) is None


def test_a_retouched_file_of_a_lost_source_model_pair_keeps_its_model(desk):
    (desk.folder / "a.jpg").write_bytes(RETOUCHED)
    now = settled(desk, BETTER)
    assert (now.model_digest, now.settings_digest, now.run) == (
        desk.records[0].model_digest,
        desk.records[0].settings_digest,
        desk.records[0].run,
    )


def test_a_photo_whose_place_is_taken_is_kept_and_claims_nothing(desk):
    record = desk.records[0]
    found = {"a.jpg": contents.Content(bytes=5, sha256="digest", fingerprint="5-1")}
    now = changes.occupied(record, found)
    assert (now.status, now.warnings) == ("kept", (OCCUPIED,))
    assert (now.model, now.model_digest, now.settings_digest) == ("", "", "")
    [output] = now.outputs
    assert (output.name, output.sha256, output.fingerprint, output.width) == ("a.jpg", "digest", "5-1", 0)
    assert now.made_digests == {}
