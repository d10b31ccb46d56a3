import io
import tarfile
import tracemalloc

import pytest
from tar_files import FILES, FORMATS, LONG, MARK, Counting, contents, entry, listed, tar_of

from pipelines.files.sources import everything
from pipelines.files.tars import Member, is_tar, members, read_range


@pytest.mark.parametrize("tar_format", FORMATS.values(), ids=FORMATS)
def test_ranges_hold_what_tarfile_extracts(tar_format):
    data = tar_of(FILES | LONG, tar_format)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        expected = [(info.name, tar.extractfile(info).read()) for info in tar]
    assert expected == list((FILES | LONG).items())
    assert contents(data, listed(data)) == expected


def test_real_files_archived_by_tarfile(tmp_path, photo_tree):
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(photo_tree, ".")
    with path.open("rb") as file:
        found = {member.name: read_range(file, member.offset, member.size) for member in members(file)}
    files = [file for file in photo_tree.rglob("*") if file.is_file()]
    assert found == {str(file.relative_to(photo_tree)): file.read_bytes() for file in files}


def test_sizes_beyond_what_octal_digits_hold():
    huge = 9 << 30
    header = entry("huge.jpg", size=huge).tobuf(tarfile.GNU_FORMAT)

    class Sparse(io.RawIOBase):
        """A file of a header, 9 GiB that nobody may read, and the mark that ends a tar."""

        position = 0

        def seek(self, offset, whence=io.SEEK_SET):
            self.position = offset if whence == io.SEEK_SET else len(header) + huge + MARK
            return self.position

        def read(self, size=-1):
            end = len(header) + huge
            assert self.position + size <= len(header) or self.position >= end
            data = (header if self.position < end else bytes(MARK - (self.position - end)))[:size]
            self.position += len(data)
            return data

    assert list(members(Sparse())) == [Member(name="huge.jpg", offset=len(header), size=huge)]


def test_tars_in_a_tar_become_folders():
    inner = {name: tar_of({f"{name}_{i}.JPEG": name.encode() * (i + 1) for i in range(3)}) for name in ("n01", "n02")}
    data = tar_of([("n01.tar", inner["n01"]), ("readme.txt", b"hello"), ("deep/n02.TAR", inner["n02"])])
    assert contents(data, listed(data)) == [
        *((f"n01/n01_{i}.JPEG", b"n01" * (i + 1)) for i in range(3)),
        ("readme.txt", b"hello"),
        *((f"deep/n02/n02_{i}.JPEG", b"n02" * (i + 1)) for i in range(3)),
    ]


def test_inner_tars_listed_one_by_one_give_the_same():
    data = tar_of({f"n{i}.tar": tar_of(FILES | LONG, tarfile.PAX_FORMAT) for i in range(4)})
    inner = listed(data, depth=1)
    assert [member.name for member in inner] == ["n0.tar", "n1.tar", "n2.tar", "n3.tar"]
    assert all("a tar in a tar in a tar, which is not opened" in member.fault for member in inner)
    assert [member for tar in inner for member in listed(data, within=tar, depth=1)] == listed(data)


def test_tars_below_the_depth_stay_closed():
    data = tar_of({"one.tar": tar_of({"two.tar": tar_of(FILES), "a.jpg": b"a"})})
    closed, photo = listed(data)
    assert closed.name == "one/two.tar"
    assert "a tar in a tar in a tar, which is not opened" in closed.fault
    assert (photo.name, photo.fault) == ("one/a.jpg", "")
    assert [member.name for member in listed(data, depth=3)] == [f"one/two/{name}" for name in FILES] + ["one/a.jpg"]


@pytest.mark.parametrize("tar_format", FORMATS.values(), ids=FORMATS)
def test_contents_are_not_read(tar_format):
    photos = {f"{i}.jpg": bytes(100_000) for i in range(20)}
    file = Counting(tar_of({"inner.tar": tar_of(photos, tar_format)} | photos, tar_format))
    assert len(list(members(file))) == 40
    assert file.bytes_read <= 60 * tarfile.BLOCKSIZE + 2 * tarfile.RECORDSIZE
    assert file.reads <= 60


def test_yields_before_it_has_seen_the_rest():
    file = Counting(tar_of({f"{i}.jpg": b"x" for i in range(1000)}))
    assert next(members(file)).name == "0.jpg"
    assert file.bytes_read <= 2 * tarfile.BLOCKSIZE


def test_the_file_may_be_used_in_between():
    data = tar_of({"inner.tar": tar_of(FILES)} | FILES)
    file = io.BytesIO(data)
    read = [(member.name, read_range(file, member.offset, member.size)) for member in members(file)]
    assert read == contents(data, listed(data))


def test_memory_does_not_grow_with_members():
    def peak(count):
        file = io.BytesIO(tar_of({f"{i}.jpg": b"x" for i in range(count)}))
        tracemalloc.start()
        assert sum(1 for _ in members(file)) == count
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(4000) < 1.2 * peak(400)


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("./a.jpg", "a.jpg"),
        ("/etc/a.jpg", "etc/a.jpg"),
        ("../../a.jpg", "a.jpg"),
        ("b/../a.jpg", "b/a.jpg"),
        ("b//./a.jpg", "b/a.jpg"),
        ("..a.jpg", "..a.jpg"),
        ("Zürich 東京.jpg", "Zürich 東京.jpg"),
        ("caf\udce9.jpg", "caf\udce9.jpg"),
        ("..", "unnamed-512"),
    ],
)
def test_names_are_relative_and_otherwise_kept(stored, name):
    assert [member.name for member in listed(tar_of([(stored, b"x")]))] == [name]


def test_names_of_inner_tars_are_relative_too():
    data = tar_of({"../x/./n01.tar": tar_of({"/a.jpg": b"a"})})
    assert [member.name for member in listed(data)] == ["x/n01/a.jpg"]


@pytest.mark.parametrize("tar_format", FORMATS.values(), ids=FORMATS)
def test_only_regular_files(tar_format):
    special = [
        entry("folder", type=tarfile.DIRTYPE),
        entry("soft.jpg", type=tarfile.SYMTYPE, linkname="a.jpg"),
        entry("hard.jpg", type=tarfile.LNKTYPE, linkname="a.jpg"),
        entry("pipe.jpg", type=tarfile.FIFOTYPE),
        entry("device.jpg", type=tarfile.CHRTYPE),
    ]
    apple = [("._a.jpg", b"meta"), ("folder/._n01.tar", b"meta")]  # of macOS, and not tars
    data = tar_of([*((info.name, info) for info in special), *apple, ("a.jpg", b"a")], tar_format)
    found = [member for member in listed(data) if not member.is_link]
    assert contents(data, found) == [*apple, ("a.jpg", b"a")]


@pytest.mark.parametrize("tar_format", FORMATS.values(), ids=FORMATS)
def test_a_link_is_not_left_out_without_a_word(tar_format, tmp_path):
    links = [
        entry("hard.jpg", type=tarfile.LNKTYPE, linkname="box/a.jpg"),
        entry("n01.tar", type=tarfile.SYMTYPE, linkname="../n02.tar"),
    ]
    path = tmp_path / "scans.tar"
    path.write_bytes(tar_of([("box/a.jpg", b"a"), *((info.name, info) for info in links)], tar_format))
    found = {source.name: source.fault for source in everything(str(path))}
    assert found == {
        "box/a.jpg": "",
        "hard.jpg": "hard.jpg is a hard link to box/a.jpg; make the tar again with --hard-dereference",
        "n01.tar": "n01.tar is a link to ../n02.tar; make the tar again with --dereference",
    }


def test_global_pax_headers_are_no_files():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * 999}) as tar:
        tar.addfile(entry("a.jpg", size=1), io.BytesIO(b"a"))
    assert contents(buffer.getvalue(), listed(buffer.getvalue())) == [("a.jpg", b"a")]


def test_a_name_that_occurs_twice_is_yielded_twice():
    data = tar_of([("a.jpg", b"old"), ("a.jpg", b"new")])
    assert contents(data, listed(data)) == [("a.jpg", b"old"), ("a.jpg", b"new")]


def old_gnu_sparse():
    """A file of 10,000 bytes of which the last 600 are stored, as ``tar --format=gnu --sparse`` writes it."""
    header = bytearray(entry("sparse.jpg", size=600, type=tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (9400, 600)
    header[483:495] = b"%011o\0" % 10_000
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"s" * 600 + bytes(424)


def pax_sparse():
    """The same file as ``tar --format=posix --sparse`` writes it: the map stands before the content."""
    stored = b"1\n9400\n600\n".ljust(512, b"\0") + b"s" * 600
    fields = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse.jpg"}
    info = entry("GNUSparseFile.0/sparse.jpg", size=len(stored))
    info.pax_headers = fields | {"GNU.sparse.realsize": "10000"}
    return info.tobuf(tarfile.PAX_FORMAT) + stored.ljust(1536, b"\0")


@pytest.mark.parametrize("sparse", [old_gnu_sparse(), pax_sparse()], ids=["gnu", "pax"])
def test_sparse_files_are_listed_with_a_fault(sparse):
    data = sparse + tar_of({"a.jpg": b"a"})
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert next((info.name, info.size, info.issparse()) for info in tar) == ("sparse.jpg", 10_000, True)
    first, second = listed(data)
    assert first.name == "sparse.jpg"
    assert "without --sparse" in first.fault
    assert contents(data, [second]) == [("a.jpg", b"a")]


def test_read_range():
    file = io.BytesIO(b"0123456789")
    assert read_range(file, 2, 3) == b"234"
    assert read_range(file, 10, 0) == b""
    with pytest.raises(ValueError, match="ends 2 bytes before"):
        read_range(file, 8, 4)


def test_read_range_of_a_file_that_reads_in_pieces():
    class Pieces(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    assert read_range(Pieces(b"0123456789"), 1, 8) == b"12345678"


@pytest.mark.parametrize("name", ["a.tar", "A.TAR", "x/ILSVRC2012_img_train.tar", "a.tar.gz", "a.tgz", "a.Tar.Xz"])
def test_names_of_tars(name):
    assert is_tar(name)


@pytest.mark.parametrize("name", ["a.jpg", "tar", "a.tar.jpg", "guitar", "a.tar/b.jpg", "a.gz", ""])
def test_names_of_other_files(name):
    assert not is_tar(name)
