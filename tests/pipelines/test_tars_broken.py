import bz2
import contextlib
import gzip
import io
import lzma
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tar_files import FILES, FORMATS, LONG, MARK, Counting, contents, entry, listed, tar_of, until_broken

from pipelines.files.tars import BrokenTarError, members
from tfrecords.errors import UserError


def test_tars_without_files():
    assert listed(tar_of({})) == []
    assert listed(tar_of([("folder", entry("folder", type=tarfile.DIRTYPE))])) == []


@pytest.mark.parametrize(
    "data", [b"", b"short", bytes(100), b"\xff\xd8\xff" * 1000], ids=["empty", "text", "0", "jpeg"]
)
def test_what_is_no_tar(data):
    found, message = until_broken(data, name="photos.tar")
    assert found == []
    assert message.startswith("photos.tar is ")
    assert "not a tar" in message


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_compressed_tars_are_refused_with_the_fix(compress):
    compressed = compress(tar_of(FILES))
    with pytest.raises(UserError, match=r"^photos\.tar\.x is compressed \(\w+\); unpack it"):
        listed(compressed, name="photos.tar.x")
    inner, photo = listed(tar_of({"n01.tar.gz": compressed, "a.jpg": b"a"}))
    assert inner.name == "n01.tar.gz"
    assert "n01.tar.gz is compressed" in inner.fault
    assert (photo.name, photo.fault) == ("a.jpg", "")


def test_a_broken_inner_tar_does_not_stop_the_listing():
    broken = tar_of(FILES)[:2000]
    data = tar_of({"n01.tar": tar_of({"a.jpg": b"1"}), "n02.tar": broken, "n03.tar": b"", "n04.tar": tar_of(FILES)})
    found = listed(data)
    whole = [member for member in found if not member.fault]
    assert contents(data, whole) == [
        ("n01/a.jpg", b"1"),
        ("n02/a.jpg", FILES["a.jpg"]),
        *((f"n04/{name}", content) for name, content in FILES.items()),
    ]
    faults = {member.name: member.fault for member in found if member.fault}
    assert faults == {
        "n02.tar": "n02.tar is truncated: it ends inside n02/folder/b.jpg",
        "n03.tar": "n03.tar is empty, not a tar",
    }
    assert contents(data, [member for member in found if member.name == "n02.tar"]) == [("n02.tar", broken)]


def test_a_damaged_header_is_not_taken_for_the_end():
    data = bytearray(tar_of(FILES))
    third = listed(data)[2]
    data[third.offset - tarfile.BLOCKSIZE] ^= 1
    found, message = until_broken(data, name="photos.tar")
    assert [member.name for member in found] == ["a.jpg", "folder/b.jpg"]
    assert message == f"photos.tar is damaged or truncated at byte {third.offset - tarfile.BLOCKSIZE:,}"


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
@pytest.mark.parametrize("size", [5 << 30, -1024])
def test_headers_that_claim_to_be_huge_are_not_read(kind, size):
    lie = entry("lie", type=kind, size=size).tobuf(tarfile.GNU_FORMAT)
    file = Counting(tar_of(FILES)[:1024] + lie + bytes(2 << 20))
    with pytest.raises(BrokenTarError, match=r"at byte 1,024$"):
        list(members(file))
    assert file.bytes_read < 1 << 16


def test_negative_sizes_do_not_loop():
    found, message = until_broken(tar_of({"a.jpg": b"a"})[:1024] + entry("b", size=-4096).tobuf(tarfile.GNU_FORMAT))
    assert [member.name for member in found] == ["a.jpg"]
    assert "at byte 1,024" in message


def test_joined_tars_are_noticed_and_rubbish_after_the_end_is_not():
    first, second = tar_of({"a.jpg": b"a"}), tar_of({"b.jpg": b"b"})
    found, message = until_broken(first + second, name="both.tar")
    assert [member.name for member in found] == ["a.jpg"]
    assert message.startswith("another tar is joined to both.tar")
    assert [member.name for member in listed(first[: 1024 + MARK] + b"rubbish" * 500)] == ["a.jpg"]


DATA = {form: tar_of({"inner.tar": tar_of(FILES, form)} | FILES | LONG, form) for form in FORMATS.values()}


@given(st.sampled_from(list(DATA)), st.data())
def test_truncation_loses_nothing_whole_and_is_always_told(tar_format, draw):
    data = DATA[tar_format]
    whole = listed(data)
    mark = whole[-1].offset + tarfile.BLOCKSIZE
    length = draw.draw(st.integers(0, mark + tarfile.BLOCKSIZE - 1))
    found, message = until_broken(data[:length])
    assert "\n" not in message
    assert [member for member in found if not member.fault] == [
        member for member in whole if member.offset + member.size <= length
    ]
    assert [member.name for member in found if member.fault] in ([], ["inner.tar"])


@given(st.sampled_from(list(DATA)), st.data())
def test_damage_raises_nothing_but_broken_tar(tar_format, draw):
    data = bytearray(DATA[tar_format])
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    found = []
    with contextlib.suppress(BrokenTarError):
        found.extend(members(io.BytesIO(data)))
    assert all(member.offset + member.size <= len(data) for member in found if not member.fault)


@given(st.binary(max_size=2048), st.sampled_from([tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE]))
def test_extended_headers_of_any_bytes_raise_nothing_but_broken_tar(content, kind):
    header = entry("x", type=kind, size=len(content)).tobuf(tarfile.GNU_FORMAT)
    data = header + content + bytes(-len(content) % 512) + tar_of({"a.jpg": b"a"})
    with contextlib.suppress(BrokenTarError):
        listed(data)
