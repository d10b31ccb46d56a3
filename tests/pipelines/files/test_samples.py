import io

import pytest
from tar_files import tar_of

from pipelines.files import samples, tars
from pipelines.files.sources import find as found_in
from pipelines.files.sources import members


def labelled(data: bytes) -> list[tuple[str, str]]:
    file = io.BytesIO(data)
    read = samples.labelled(tars.members(file), lambda one: tars.read_range(file, one.offset, one.size))
    return [(member.name, label) for member, label in read]


def test_the_members_of_a_sample_have_its_class_whatever_their_order():
    files = {
        "0/a.cls": b"7\n",
        "0/a.jpg": b"x",
        "0/b.jpg": b"y",
        "0/b.json": b"{}",
        "0/b.cls": b"n01440764",
        "c.jpg": b"",
    }
    assert labelled(tar_of(files)) == [
        ("0/a.cls", "7"),
        ("0/a.jpg", "7"),
        ("0/b.jpg", "n01440764"),
        ("0/b.json", "n01440764"),
        ("0/b.cls", "n01440764"),
        ("c.jpg", ""),
    ]


def test_a_class_that_is_not_text_is_none_and_long_samples_are_not_held_back():
    files = {"a.cls": b"\x00\xff", "a.1.jpg": b"x", "b.cls": b"c" * 300, "b.jpg": b"y"}
    assert {label for _, label in labelled(tar_of(files))} == {""}
    many = {f"k.{number:03d}.jpg": b"x" for number in range(200)}
    assert [name for name, _ in labelled(tar_of({**many, "k.cls": b"1"}))] == [*many, "k.cls"]


def test_what_came_before_damage_is_kept():
    data = tar_of({"a.jpg": b"x", "b.jpg": b"y", "b.cls": b"1"})
    file = io.BytesIO(data[:-10_000] if len(data) > 10_240 else data[: 5 * 512])
    read = samples.labelled(tars.members(file), lambda one: tars.read_range(file, one.offset, one.size))
    assert [next(read)[0].name, next(read)[0].name] == ["a.jpg", "b.jpg"]
    with pytest.raises(tars.BrokenTarError):
        list(read)


def test_photos_of_a_webdataset_carry_their_class_and_its_other_files_are_no_photos(tmp_path):
    (tmp_path / "0.tar").write_bytes(tar_of({"a.cls": b"7", "a.jpg": b"x", "a.json": b"{}", "a.txt": b"a cat"}))
    [tar] = found_in(str(tmp_path))
    photos = [one for one in members(tar, str(tmp_path)) if not one.is_ignored]
    assert [(one.name, one.label, one.read()) for one in photos] == [("0/a.jpg", "7", b"x")]
