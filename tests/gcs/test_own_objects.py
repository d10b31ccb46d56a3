"""Photos put into a bucket: one request for a new one, and nobody's object is lost."""

import json

import pytest
from clouds import Cloud

from pipelines import colorize
from pipelines.archive import places
from pipelines.archive.ledger import Ledger
from pipelines.archive.places import OccupiedError
from pipelines.files import contents, own_objects, storage


@pytest.fixture
def folder(calm_cloud: Cloud) -> str:
    return calm_cloud.uri("colour")


def uploaded(somewhere: Cloud, data: bytes, **fields: object) -> None:
    """Puts an object where somebody else puts it; ``fields`` are the blob's."""
    blob = somewhere.itself.blob("colour/a.jpg")
    for field, value in fields.items():
        setattr(blob, field, value)
    blob.upload_from_string(data)


def placed(folder: str, data: bytes, *ours: bytes, force: bool = False) -> places.Placed:
    digests = frozenset(map(contents.sha256, ours))
    return places.place(folder, {"a.jpg": data}, {"a.jpg": digests}, 1, replace_changed=force)["a.jpg"]


def test_a_new_object_costs_one_request_and_says_that_it_is_ours(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(own_objects, "find", None)
        patch.setattr(contents, "read", None)
        new = placed(folder, b"photo")
    assert not new.replaced
    assert new.fingerprint == contents.fingerprint(f"{folder}/a.jpg")
    found = contents.read(f"{folder}/a.jpg")
    assert (found.bytes, found.sha256, found.own_run) == (5, contents.sha256(b"photo"), 1)


def test_objects_have_the_type_of_their_name(calm_cloud, folder):
    placed(folder, b"photo")
    storage.write_in(folder, "manifest/photos-00000-of-00001.jsonl", b"{}")
    types = {blob.name.rpartition(".")[2]: blob.content_type for blob in calm_cloud.itself.list_blobs(prefix="colour/")}
    assert types == {"jpg": "image/jpeg", "jsonl": "application/x-ndjson"}


def test_what_a_cancelled_job_wrote_is_replaced_although_no_record_tells_of_it(folder):
    placed(folder, b"photo")
    assert placed(folder, b"photo") == places.Placed(contents.fingerprint(f"{folder}/a.jpg"), replaced=False)
    assert placed(folder, b"better").replaced
    assert contents.read(f"{folder}/a.jpg").sha256 == contents.sha256(b"better")


@pytest.mark.parametrize("fields", [{}, {"metadata": {"autochrome": "run 1 AAAAAA=="}}])
def test_what_somebody_wrote_over_it_stays(calm_cloud, folder, fields):
    placed(folder, b"photo")
    uploaded(calm_cloud, b"retouched", **fields)
    with pytest.raises(OccupiedError) as occupied:
        placed(folder, b"better", b"photo")
    [(name, found)] = occupied.value.found.items()
    assert (name, found.sha256) == ("a.jpg", contents.sha256(b"retouched"))
    assert contents.read(f"{folder}/a.jpg") == found
    assert placed(folder, b"better", force=True).replaced


def test_what_earlier_versions_wrote_is_known_by_its_digest(calm_cloud, folder):
    uploaded(calm_cloud, b"photo")
    with pytest.raises(OccupiedError):
        placed(folder, b"better")
    assert placed(folder, b"better", b"photo").replaced


def test_an_object_that_was_written_meanwhile_is_not_removed(calm_cloud, folder):
    placed(folder, b"photo")
    found = contents.read(f"{folder}/a.jpg")
    uploaded(calm_cloud, b"retouched")
    contents.remove(f"{folder}/a.jpg", found)
    assert contents.read(f"{folder}/a.jpg").sha256 == contents.sha256(b"retouched")


def test_answers_that_get_lost_make_nobody_s_object_of_a_photo(rough_cloud: Cloud):
    folder = rough_cloud.uri("rough")
    for number in range(3):
        for data in (b"photo", b"better"):
            name = f"{number}.jpg"
            made = places.place(folder, {name: data}, {}, 1)[name]
            assert made.fingerprint == contents.fingerprint(f"{folder}/{name}")
            assert contents.read(f"{folder}/{name}").sha256 == contents.sha256(data)


def test_a_photo_in_a_bucket_that_somebody_changed_stays(
    calm_cloud: Cloud, tmp_path, grey_photos, encoded, saved_model_dir
):
    scans, folder = tmp_path / "scans", calm_cloud.uri("changed")
    scans.mkdir()
    for name in ("a", "b"):
        (scans / f"{name}.jpg").write_bytes(encoded(grey_photos["coins"][:100, :120], "JPEG"))
    flags = [f"--input={scans}", f"--output={folder}", f"--model={saved_model_dir}", "--direct_num_workers=1"]
    assert colorize.main(flags) == 0
    made = calm_cloud.files("changed")
    calm_cloud.itself.blob("changed/a.jpg").upload_from_string(b"retouched")
    assert colorize.main([*flags, "--quality=80"]) == 0
    now = calm_cloud.files("changed")
    assert now["a.jpg"] == b"retouched"
    assert now["b.jpg"] != made["b.jpg"]
    records = {record.name: record for record in Ledger.of(folder).records()}
    assert (records["a.jpg"].status, records["a.jpg"].warnings) == ("kept", ("changed_since",))
    assert records["a.jpg"].outputs[0].made_sha256 == contents.sha256(made["a.jpg"])
    last = json.loads(now["manifest/last_run.json"])
    assert [last[what] for what in ("made", "found", "kept", "replaced", "removed")] == [1, 1, 1, 1, 0]
