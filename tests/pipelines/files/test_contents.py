import hashlib
import os

import google_crc32c
import pytest

from pipelines.files import contents, marks
from pipelines.files.contents import Content
from pipelines.files.sources import Source


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    return path


def test_a_file_is_read_with_its_digest_and_fingerprint(file):
    found = contents.read(str(file))
    assert found == Content(
        bytes=5, sha256=hashlib.sha256(b"photo").hexdigest(), fingerprint=contents.fingerprint(str(file))
    )


def test_an_edit_that_keeps_size_and_time_changes_the_fingerprint(file):
    before, about = contents.fingerprint(str(file)), file.stat()
    file.write_bytes(b"pHoto")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    after = contents.fingerprint(str(file))
    assert after.split("-")[:2] == before.split("-")[:2]
    assert after != before


def test_the_fingerprint_of_a_listed_file_is_taken_from_the_disk_and_that_of_an_object_from_the_listing(file):
    listed = Source(uri=str(file), name="a.jpg", size=5, fingerprint="5-1")
    assert contents.listed(listed) == contents.fingerprint(str(file)) != "5-1"
    assert contents.listed(Source(uri="gs://b/a.jpg", name="a.jpg", size=5, fingerprint="5-1")) == "5-1"


def test_the_checksum_of_a_file_is_that_of_its_bytes(file, tmp_path):
    assert contents.checksum(str(file)) == google_crc32c.value(b"photo")
    assert contents.checksum(str(tmp_path / "nowhere")) is None


def test_what_is_not_a_file_has_no_content(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        assert contents.fingerprint(str(path)) == ""
        assert contents.read(str(path)) is None


def test_a_file_that_its_run_marked_says_so_until_it_is_changed(file):
    marks.write(str(file), 3, contents.sha256(b"photo"))
    assert contents.read(str(file)).own_run == 3
    file.write_bytes(b"retouched")
    assert contents.read(str(file)).own_run == 0


def test_only_a_file_without_anybodys_work_may_go():
    theirs = Content(bytes=5, sha256="digest", fingerprint="5-1")
    assert not theirs.may_go(())
    assert not theirs.may_go({"another"})
    assert theirs.may_go({"digest"})
    assert Content(bytes=5, sha256="digest", fingerprint="5-1", own_run=1).may_go(())
    assert Content(bytes=0, sha256="digest", fingerprint="0-1").may_go(())


def test_a_removed_file_is_gone(file):
    contents.remove(str(file), contents.read(str(file)))
    assert not file.exists()
