"""The stand-in for Cloud Storage does what the tests rely on."""

import os
import threading

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed, RequestRangeNotSatisfiable
from google.cloud import storage as cloud


@pytest.fixture
def there(calm_cloud):
    return cloud.Client().bucket(calm_cloud.bucket)


@pytest.mark.parametrize("size", [10, 9 << 20])
def test_a_write_needs_the_generation_that_it_names(there, size):
    """Small objects go in one request, large ones in several."""
    blob = there.blob(f"conditional {size}")
    blob.upload_from_string(b"1" * size, if_generation_match=0)
    first = blob.generation
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"2" * size, if_generation_match=0)
    blob.upload_from_string(b"3" * size, if_generation_match=first)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"4" * size, if_generation_match=first)
    assert there.blob(blob.name).download_as_bytes() == b"3" * size


def test_of_many_writers_where_there_is_nothing_one_succeeds(there):
    written = []

    def write(number: int) -> None:
        try:
            there.blob("contested").upload_from_string(b"%d" % number, if_generation_match=0)
            written.append(number)
        except PreconditionFailed:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert there.blob("contested").download_as_bytes() == b"%d" % written[0]


def test_a_read_tells_generation_and_checksum(there):
    there.blob("read").upload_from_string(b"0123456789")
    stored = there.get_blob("read")
    for span, expected in (({}, b"0123456789"), ({"start": 3, "end": 5}, b"345"), ({"start": 8}, b"89")):
        blob = there.blob("read")
        assert blob.download_as_bytes(**span) == expected
        assert (blob.generation, blob.crc32c) == (stored.generation, stored.crc32c)
    with pytest.raises(PreconditionFailed):
        there.blob("read").download_as_bytes(if_generation_match=stored.generation + 1)
    with pytest.raises(NotFound):
        there.blob("read", generation=stored.generation + 1).download_as_bytes()
    with pytest.raises(RequestRangeNotSatisfiable):
        there.blob("read").download_as_bytes(start=10)


def test_a_deletion_needs_the_generation_that_it_names(there):
    blob = there.blob("deleted")
    blob.upload_from_string(b"x")
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=blob.generation + 1)
    blob.delete(if_generation_match=blob.generation)
    assert not blob.exists()


def test_a_listing_comes_in_pages(there):
    names = [f"many/{index:02}" for index in range(16)] + [f"many/sub {index}/x" for index in range(4)]
    for name in names:
        there.blob(name).upload_from_string(b"x")
    assert [blob.name for blob in there.list_blobs(prefix="many/")] == names
    listing = there.list_blobs(prefix="many/", delimiter="/")
    pages = [[blob.name for blob in page] for page in listing.pages]
    assert [len(page) for page in pages] == [7, 7, 2]
    assert [name for page in pages for name in page] == names[:16]
    assert listing.prefixes == {f"many/sub {index}/" for index in range(4)}


def test_a_cut_upload_goes_on_where_it_was(there):
    data = os.urandom(1 << 20)
    transport = there.client._http
    place = (
        f"{os.environ['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{there.name}/o?uploadType=resumable&name=resumed"
    )
    session = transport.request("POST", place).headers["Location"]

    def put(start: int, end: int, span: str | None = None):
        told = {"Content-Range": span or f"bytes {start}-{end - 1}/{len(data)}"}
        return transport.request("PUT", session, data=data[start:end], headers=told)

    asked = put(0, 0, f"bytes */{len(data)}")
    assert (asked.status_code, asked.headers.get("Range")) == (308, None)
    asked = transport.request("PUT", session, data=data[:1000], headers={"Content-Range": f"bytes 0-999/{len(data)}"})
    assert (asked.status_code, asked.headers["Range"]) == (308, "bytes=0-999")
    # What has come already may come again.
    finished = put(500, len(data))
    assert finished.status_code == 200
    assert put(0, 0, f"bytes */{len(data)}").json() == finished.json()
    assert there.blob("resumed").download_as_bytes(checksum="crc32c") == data
