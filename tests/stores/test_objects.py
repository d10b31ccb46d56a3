"""What every store promises for its objects, over HTTP."""

import os
import threading
import time

import pytest
from leases import winner_of
from servers import Store

from pipelines.archive import lease, places, sidecar_lease
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from pipelines.archive.places import OccupiedError
from pipelines.errors import Rejected
from pipelines.files import bucket_reads, buckets, contents, listings, patience, sources, storage, stores, versions
from tfrecords.errors import DeniedError, OutageError, UserError

NAMES = ["a.jpg", "a//b.jpg", "box 1/ü [1].jpg", "box 1/%41.jpg", "box 1/sub/c+d&e.jpg", "box 10/f.jpg"]


def test_a_listing_in_parts_is_the_whole_listing(calm: Store):
    for name in (*NAMES, "folder/"):
        calm.put(f"in/{name}", name.encode())
    calm.put("in-other/x.jpg", b"x")
    expected = {calm.uri(f"in/{name}") for name in NAMES}
    assert {blob.uri for blob in buckets.below(calm.uri("in"))} == expected
    branches = list(listings.of_input(calm.uri("in")))
    assert {branch.path for branch in branches if not branch.page} == {
        calm.uri(f"in/{name}/") for name in ("a", "box 1", "box 10", "folder")
    }
    found = {one.uri: one for branch in branches for one in sources.files(branch, f"{calm.uri('in')}/")}
    assert found.keys() == expected
    for name in NAMES:
        assert found[calm.uri(f"in/{name}")].read() == name.encode()
    assert {blob.uri for blob in buckets.matching(calm.uri("in/*/f.jpg"))} == {calm.uri("in/box 10/f.jpg")}
    assert [one.name for one in sources.find(calm.uri("in/a.jpg"))] == ["a.jpg"]


def test_a_listing_is_read_to_its_end_page_by_page(rough: Store, monkeypatch):
    monkeypatch.setattr(stores.of(rough.uri("")), "page", 4)
    for number in range(10):
        rough.put(f"many/{number}", b"")
        rough.put(f"many/{number} sub/x", b"")
    below = [blob.uri for blob in buckets.below(rough.uri("many"))]
    assert below == sorted(rough.uri(f"many/{number}{rest}") for number in range(10) for rest in ("", " sub/x"))
    pages = list(buckets.pages(rough.uri("many")))
    assert len(pages) > 4
    assert [blob.uri for page, _ in pages for blob in page] == [rough.uri(f"many/{number}") for number in range(10)]
    assert [folder for _, folders in pages for folder in folders] == [
        rough.uri(f"many/{number} sub/") for number in range(10)
    ]


def test_what_is_listed_is_what_is_found(calm: Store):
    calm.put("a.jpg", b"photo")
    [listed] = buckets.below(calm.uri("a.jpg"))
    found = buckets.find(calm.uri("a.jpg"))
    assert (found.fingerprint, found.size, found.changed) == (listed.fingerprint, 5, listed.changed)
    assert abs(found.changed - time.time()) < 3600
    assert buckets.find(calm.uri("b.jpg")) is None
    assert storage.size(calm.uri("b.jpg")) == -1
    assert storage.read_if_there(calm.uri("b.jpg")) is None


def test_a_photo_that_was_replaced_since_it_was_listed_is_not_read(calm: Store):
    calm.put("in/a.jpg", b"one")
    [listed] = sources.find(calm.uri("in"))
    assert listed.read() == b"one"
    calm.put("in/a.jpg", b"two")
    for start in (0, 1):
        with pytest.raises(Rejected) as rejected:
            listed.read(start)
        assert rejected.value.reason == "unreadable"


def test_every_byte_arrives_although_requests_fail(rough: Store):
    data = os.urandom(3 << 20)
    for number in range(4):
        storage.write(rough.uri(f"whole/{number}.bin"), data[number:])
    for number in range(4):
        uri = rough.uri(f"whole/{number}.bin")
        assert storage.read(uri) == data[number:]
        assert storage.read_range(uri, 1 << 20, 70_000) == data[number:][1 << 20 :][:70_000]
        with storage.opened(uri, 100_000) as file:
            file.seek(-150_001, os.SEEK_END)
            assert file.read() == data[-150_001:]
    assert sum(rough.faults.injected.values()) > 5
    with pytest.raises(ValueError, match="ends"):
        storage.read_range(rough.uri("whole/0.bin"), len(data) - 5, 10)
    storage.write(rough.uri("empty"), b"")
    assert storage.read(rough.uri("empty")) == b""


def test_of_many_writers_where_there_is_nothing_one_succeeds(rough: Store):
    written: list[int] = []

    def write(number: int) -> None:
        if storage.create(rough.uri("contested"), b"%d" % number):
            written.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) <= 1  # the answer of the one that succeeded may be lost
    possible = written or range(6)
    assert storage.read(rough.uri("contested")) in [b"%d" % number for number in possible]


def test_an_object_that_is_there_is_noticed_without_trying_again(calm: Store):
    assert storage.create(calm.uri("there"), b"one")
    before = len(calm.relay.headers)
    assert not storage.create(calm.uri("there"), b"two")
    assert len(calm.relay.headers) - before <= 2


def test_a_file_is_replaced_and_removed_only_in_the_version_that_was_read(calm: Store):
    uri = calm.uri("manifest/lease.json")
    assert versions.read(uri) is None
    assert storage.create(uri, b"one")
    assert not storage.create(uri, b"zero")
    first = versions.read(uri)
    assert versions.replace(uri, b"two", first)
    assert not versions.replace(uri, b"three", first)
    versions.remove(uri, first)
    second = versions.read(uri)
    assert second.data == b"two"
    versions.remove(uri, second)
    assert versions.read(uri) is None
    assert not versions.replace(uri, b"four", second)
    assert versions.clock(calm.uri("manifest")) >= second.changed


def test_objects_have_the_type_of_their_name(calm: Store):
    for name in ("a.jpg", "b.tif", "manifest/photos-00000-of-00001.jsonl", "index.html"):
        storage.write(calm.uri(f"colour/{name}"), b"x")
    places.place(calm.uri("colour"), {"c.png": b"x"}, {}, 1)
    assert calm.types("colour") == {
        "a.jpg": "image/jpeg",
        "b.tif": "image/tiff",
        "c.png": "image/png",
        "index.html": "text/html; charset=utf-8",
        "manifest/photos-00000-of-00001.jsonl": "application/x-ndjson",
    }


def placed(store: Store, data: bytes) -> places.Placed:
    return places.place(store.uri("colour"), {"a.jpg": data}, {}, 1)["a.jpg"]


def test_our_own_photo_is_replaced_and_nobody_else_s(calm: Store):
    uri = calm.uri("colour/a.jpg")
    new = placed(calm, b"photo")
    assert (new.replaced, new.fingerprint) == (False, contents.fingerprint(uri))
    assert contents.read(uri).own_run == 1
    assert placed(calm, b"photo") == new
    assert placed(calm, b"better").replaced
    calm.put("colour/a.jpg", b"retouched")
    with pytest.raises(OccupiedError):
        placed(calm, b"best")
    contents.remove(uri, contents.Content(bytes=6, sha256="", fingerprint=new.fingerprint))
    assert storage.read(uri) == b"retouched"


def test_answers_that_get_lost_make_nobody_s_object_of_a_photo(rough: Store):
    for data in (b"photo", b"better", b"best"):
        assert placed(rough, data).fingerprint == contents.fingerprint(rough.uri("colour/a.jpg"))
        assert storage.read(rough.uri("colour/a.jpg")) == data


def test_the_checksum_of_an_object_is_that_of_its_bytes(calm: Store, tmp_path):
    (tmp_path / "a").write_bytes(b"records")
    storage.write(calm.uri("a"), b"records")
    calm.put("b", b"records")
    for name in ("a", "b"):
        assert contents.checksum(calm.uri(name)) == contents.checksum(str(tmp_path / "a"))


def test_an_outage_ends_the_run_and_blames_no_photo(calm: Store, monkeypatch):
    calm.put("in/a.jpg", b"one")
    [listed] = sources.find(calm.uri("in"))
    monkeypatch.setattr(patience, "BUCKET_SECONDS", 0.3)
    calm.faults.refuse("", 503)
    with pytest.raises(OutageError, match=r"in/a\.jpg: .* failed for"):
        listed.read()
    calm.faults.allow()
    assert listed.read() == b"one"


def test_one_forbidden_photo_is_rejected_and_lost_rights_end_the_run(calm: Store):
    for number in range(4):
        calm.put(f"in/{number}.jpg", b"one")
    photos = list(sources.find(calm.uri("in")))
    photos[1].read()
    calm.faults.refuse(r"in/0\.jpg", 403)
    with pytest.raises(Rejected):
        photos[0].read()
    bucket_reads.neighbours_in.cache_clear()
    calm.faults.refuse("", 403)
    with pytest.raises(DeniedError, match="access is denied"):
        photos[1].read()


def test_a_lease_that_was_renewed_has_another_version(calm: Store):
    holder = Holder.here(local=False)
    uri = calm.uri("manifest/lease.json")
    assert storage.create(uri, holder.to_json())
    found = versions.read(uri)
    assert versions.replace(uri, holder.to_json(), found)
    # Whoever found it expired must not take over one that lives.
    assert not versions.replace(uri, b"another", found)
    assert Holder.from_json(versions.read(uri).data) == holder


def test_of_many_runs_one_gets_the_lease(rough: Store):
    winner_of([Lease(folder=rough.uri("contested")) for _ in range(4)]).check()
    assert set(rough.files("contested")) == {lease.FILE}


def test_runs_of_two_outputs_do_not_share_a_folder_of_sidecars(calm: Store):
    first, second = (
        Lease(
            folder=calm.uri(output),
            holder=(holder := Holder.here(local=False)),
            beside=sidecar_lease.of(calm.uri("chroma"), calm.uri(output), holder),
        )
        for output in ("colour", "prints")
    )
    first.take()
    with pytest.raises(UserError, match=r"^--sidecar .*chroma is being written by another run"):
        second.take()
    assert not calm.files("prints")
    first.release()
    second.take()
    assert len(calm.files("chroma")) == 1
