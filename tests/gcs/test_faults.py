"""Objects are read and written whole while every other request fails."""

import hashlib
import io
import os
import tarfile
import threading

import pytest
from faults import CUT_DOWNLOAD, CUT_UPLOAD, LOST_ANSWER, SLOW, STATUSES, Faults
from google.api_core.exceptions import PreconditionFailed, RetryError

from pipelines.archive import leftovers
from pipelines.archive.manifest import Record
from pipelines.archive.resume import File
from pipelines.errors import Rejected
from pipelines.files import buckets, gcs, patience, sources, storage
from tfrecords.errors import OutageError


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Waits a tenth of the time between attempts."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.1)


def test_the_same_requests_meet_the_same_faults_in_any_order():
    requests = [f"GET /{index % 50}" for index in range(400)]
    one, other = Faults(3, 0.4), Faults(3, 0.4)
    met = {name: [] for name in set(requests)}
    for name in requests:
        met[name].append(one.next(name, "GET", STATUSES))
    again = {name: [other.next(name, "GET", STATUSES) for _ in kinds] for name, kinds in reversed(met.items())}
    assert again == met
    assert {kind for kinds in met.values() for kind in kinds} == {"", *STATUSES}
    assert all("" in kinds[start : start + 3] for kinds in met.values() for start in range(len(kinds) - 2))


def test_what_is_written_and_read_is_what_it_was(rough_cloud):
    data = {f"whole/{size} ü [1].bin": os.urandom(size) for size in (0, 1, 999, 70_000, (9 << 20) + 1)}
    data |= {f"whole/small {index}": b"%d" % index for index in range(16)}
    for name, content in data.items():
        storage.write(rough_cloud.uri(name), content)
    found = {blob.uri: blob for blob in buckets.below(rough_cloud.uri("whole"))}
    assert {uri: blob.size for uri, blob in found.items()} == {rough_cloud.uri(n): len(c) for n, c in data.items()}
    for name, content in data.items():
        uri = rough_cloud.uri(name)
        assert storage.read(uri, found[uri].generation) == content
        assert storage.size(uri) == len(content)
        if content:
            start = len(content) // 3
            assert storage.read_range(uri, start, len(content) - start) == content[start:]
        with storage.opened(uri) as file:
            assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()
    injected = rough_cloud.faults.injected
    assert set(injected) == {*STATUSES, SLOW, CUT_DOWNLOAD, CUT_UPLOAD, LOST_ANSWER}
    assert injected.total() > 40
    assert len({blob.generation for blob in buckets.below(rough_cloud.uri("whole"))}) == len(data)
    storage.remove(list(found))
    assert rough_cloud.files("whole") == {}


def test_nothing_is_written_twice_when_answers_are_lost(calm_cloud):
    uri = calm_cloud.uri("once/a")
    generations = []

    def lost_once(request: str, method: str, kinds: list[str], share: float) -> str:
        if method != "POST" or generations:
            return ""
        generations.append(0)
        return LOST_ANSWER

    calm_cloud.faults.next = lost_once
    storage.write(uri, b"x" * 1000)
    generations = [buckets.find(uri).generation]
    storage.write(uri, b"x" * 1000)
    assert [buckets.find(uri).generation] == generations
    assert calm_cloud.faults.injected == {LOST_ANSWER: 1}


def test_what_an_earlier_run_left_is_removed_whatever_the_network_does(rough_cloud):
    names = [f"left/{index}.jpg" for index in range(12)]
    for name in names:
        storage.write(rough_cloud.uri(name), name.encode())
    record = Record(name="a.jpg", uri="gs://scans/a.jpg", offset=None, fingerprint="7-1", status="skipped")
    files = [
        File(name=name, fingerprint="", digests=frozenset([hashlib.sha256(name.encode()).hexdigest()]))
        for name in names
    ]
    assert leftovers.settle(record, files, rough_cloud.uri("").rstrip("/")) == (record, len(names))
    assert not rough_cloud.generations("left")


def test_a_listing_is_whole_and_a_tar_is_listed_by_range(rough_cloud, tmp_path):
    for index in range(30):
        path = tmp_path / "tree" / f"{index % 3}" / f"{index}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(3000))
    with tarfile.open(tmp_path / "inner.tar", "w") as tar:
        tar.add(tmp_path / "tree" / "1", "1")
    with tarfile.open(tmp_path / "tree" / "outer.tar", "w") as tar:
        tar.add(tmp_path / "tree" / "2", "2")
        tar.add(tmp_path / "inner.tar", "inner.tar")
    uri = rough_cloud.upload(tmp_path / "tree", "listed")
    found = {source.name: source for source in sources.find(uri)}
    assert set(found) == {str(path.relative_to(tmp_path / "tree")) for path in (tmp_path / "tree").rglob("*.*")}
    outer = found["outer.tar"]
    (inner,) = (member for member in sources.members(outer, uri) if member.name.endswith(".tar"))
    members = [m for m in sources.members(outer, uri) if m != inner] + list(sources.members(inner, uri))
    assert len(members) == 20
    for member in members:
        assert member.read() == (tmp_path / "tree" / member.name.split("/", 1)[1].removeprefix("inner/")).read_bytes()
        assert member.read(2000) == member.read()[2000:]


def test_globs_are_those_of_beam(calm_cloud):
    for name in ("a.jpg", "b.jpg", "b.png", "sub/c.jpg", "sub/sub/d.jpg"):
        storage.write(calm_cloud.uri(f"globbed/{name}"), b"x")

    def matched(glob: str) -> list[str]:
        return sorted(source.name for source in sources.find(calm_cloud.uri(f"globbed/{glob}")))

    assert matched("*.jpg") == ["a.jpg", "b.jpg"]
    assert matched("**/*.jpg") == ["sub/c.jpg", "sub/sub/d.jpg"]
    assert matched("[ab]?jpg") == ["a.jpg", "b.jpg"]


def test_an_object_that_is_replaced_after_the_listing_is_not_taken_for_what_was_listed(calm_cloud):
    uri = calm_cloud.uri("replaced/a.jpg")
    storage.write(uri, b"before")
    (source,) = sources.find(calm_cloud.uri("replaced"))
    file = storage.opened(uri)
    storage.write(uri, b"after!")
    for read in (source.read, lambda: source.read(2)):
        with pytest.raises(Rejected, match="412") as raised:
            read()
        assert raised.value.reason == "unreadable"
    with pytest.raises(PreconditionFailed), file:
        file.read()


def test_a_bucket_that_does_not_answer_rejects_no_photo(calm_cloud, monkeypatch):
    storage.write(calm_cloud.uri("outage/a.jpg"), b"xyz")
    (source,) = sources.find(calm_cloud.uri("outage"))
    monkeypatch.setattr(patience, "BUCKET_SECONDS", 0.2)
    calm_cloud.faults.next = lambda request, method, kinds, share: "503"
    for work in (
        source.read,
        lambda: source.read(1),
        lambda: storage.write(source.uri, b"y"),
        lambda: storage.size(source.uri),
        lambda: list(sources.find(calm_cloud.uri("outage"))),
        lambda: storage.names(calm_cloud.uri("outage")),
        lambda: storage.remove([source.uri]),
    ):
        with pytest.raises(OutageError, match="gs://") as raised:
            work()
        assert isinstance(raised.value.__cause__, RetryError)
        assert "\n" not in str(raised.value)


def test_what_arrives_with_a_wrong_checksum_is_read_again(calm_cloud, monkeypatch):
    uri = calm_cloud.uri("changed/a")
    storage.write(uri, b"right")
    spoilt = iter([b"wrong"])
    write = io.BytesIO.write
    monkeypatch.setattr(gcs.Arrived, "write", lambda arrived, data: write(arrived, next(spoilt, data)), raising=False)
    assert storage.read(uri) == b"right"


@pytest.mark.parametrize("same", [True, False])
def test_writers_that_race_leave_one_whole_object(rough_cloud, same):
    uri = rough_cloud.uri(f"raced/{same}")
    contents = [bytes([65 if same else 65 + index]) * 200_000 for index in range(6)]
    errors = []

    def write(content: bytes) -> None:
        try:
            storage.write(uri, content)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert storage.read(uri) in contents


def test_of_many_that_create_an_object_one_succeeds(calm_cloud):
    uri = calm_cloud.uri("new/claim.json")
    created = []
    threads = [
        threading.Thread(target=lambda index=index: storage.create(uri, b"%d" % index) and created.append(index))
        for index in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(created) == 1
    assert storage.read(uri) == b"%d" % created[0]
