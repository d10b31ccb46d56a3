"""Photos that a list names: their names, and what does not exist."""

import json
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
from list_files import list_of
from objects import served
from tar_files import tar_of

from pipelines.errors import Rejected
from pipelines.files import input_checks, input_paths, listed_photos, local_reads, patience, sources
from pipelines.files.list_parts import ListOptions
from pipelines.files.sources import Source, everything
from tfrecords.errors import OutageError, UserError


def found(folder: Path, data: bytes | str, kind: str = ".txt", **options) -> list[Source]:
    """The photos of a list in a folder."""
    (folder / f"list{kind}").write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(everything(str(folder / f"list{kind}"), ListOptions(**options)))


def test_names_that_are_not_utf_8_are_kept(tmp_path):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_bytes(b"x")
    for kind in (".txt", ".csv", ".tsv", ".jsonl"):
        assert [one.name for one in found(tmp_path, list_of([name], kind), kind)] == [name]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", "häß".encode("utf-16"), "is in UTF-16; save it as UTF-8"),
        ("a.txt", b"a\0b", "is not text"),
        ("a.txt", b"x" * (1 << 20), "no line break in the megabyte"),
        ("a.jsonl", b'{"path"', "the line at byte 0 is not JSON"),
        ("a.jsonl", b'"a"\n3\n', "the line at byte 4 is neither an object nor a path"),
        ("a.csv", b'path\na\n"b\n' + b"x\n" * 100_000, "line 3 has a quote that is not closed"),
        ("a.parquet", b"path\na\n", "is not Parquet"),
    ],
)
def test_what_is_not_a_list_is_refused_with_the_fix(name, data, said, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=said):
        list(everything(str(tmp_path / name)))


def test_paths_are_relative_to_the_list_or_to_the_root(tmp_path, monkeypatch):
    for name in ("lists/x.txt", "scans/box/a.jpg", "scans/b.jpg", "else/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(name.encode())
    rows = ["../scans/b.jpg", f"{tmp_path}/scans/./box/a.jpg", f"file://{tmp_path}/else/c.jpg"]
    whole = [f"{tmp_path}/{name}".lstrip("/") for name in ("scans/b.jpg", "scans/box/a.jpg", "else/c.jpg")]
    assert [one.name for one in found(tmp_path / "lists", "\n".join(rows))] == whole
    named = found(tmp_path / "lists", "\n".join([*rows[1:], "b.jpg"]), root=str(tmp_path / "scans"))
    assert [one.name for one in named] == ["box/a.jpg", whole[2], "b.jpg"]
    assert [one.read() for one in named] == [b"scans/box/a.jpg", b"else/c.jpg", b"scans/b.jpg"]
    monkeypatch.chdir(tmp_path / "scans")
    assert [(one.name, one.uri) for one in found(Path(), "box/../b.jpg")] == [("b.jpg", "b.jpg")]


def test_photos_that_do_not_exist_are_missing_and_others_are_not(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "link.jpg").symlink_to("nowhere")
    one, gone, beside, link = found(tmp_path, "a.jpg\ngone.jpg\na.jpg/b.jpg\nlink.jpg\n")
    assert (one.name, one.fault) == ("a.jpg", "")
    assert [(photo.reason, photo.name) for photo in (gone, beside, link)] == [
        ("missing", "gone.jpg"),
        ("missing", "a.jpg/b.jpg"),
        ("missing", "link.jpg"),
    ]
    assert gone.fault == f"{tmp_path}/gone.jpg: no such file or directory"


def test_a_list_names_folders_and_tars_as_well_and_each_photo_counts_once(tmp_path):
    for name in ("box/a.jpg", "box/deep/b.jpg", "box/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "c.tar").write_bytes(tar_of({"in/d.jpg": b"d", "in/d.json": b"{}"}))
    listed = found(tmp_path, "c.tar\nbox\nbox/a.jpg\nbox/notes.txt\n./box/a.jpg\n")
    assert sorted(one.name for one in listed) == ["box/a.jpg", "box/deep/b.jpg", "c/in/d.jpg"]
    assert {one.read() for one in listed} == {b"box/a.jpg", b"box/deep/b.jpg", b"d"}


def test_a_list_of_links_to_one_photo_has_as_many_photos(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    assert [one.name for one in found(tmp_path, "a.jpg\nb.jpg\n")] == ["a.jpg", "b.jpg"]


def test_lists_of_two_folders_have_names_of_their_own(tmp_path):
    for folder in ("20s", "30s"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(b"a")
        (tmp_path / folder / "list.txt").write_text("a.jpg")
    both = [str(tmp_path / folder / "list.txt") for folder in ("20s", "30s")]
    assert [one.name for one in everything(both)] == ["20s/a.jpg", "30s/a.jpg"]
    assert [one.name for one in everything([both[0], str(tmp_path / "20s")])] == ["a.jpg"]


def test_records_of_an_earlier_run_are_a_list_whose_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.jpg").write_bytes(b"a")
    (tmp_path / "scans" / "b.tar").write_bytes(tar_of({"in/c.jpg": b"c", "d.jpg": b"dd"}))
    before = list(everything("scans"))
    records = [{"name": f"x/{one.name}", "status": "written", **_place(one)} for one in before]
    manifest = tmp_path / "colour" / "manifest"
    manifest.mkdir(parents=True)
    for number, record in enumerate(records):
        (manifest / f"photos-{number:05d}-of-00003.jsonl").write_text(json.dumps(record))
    again = list(everything("colour/manifest"))
    assert [(f"x/{one.name}", _place(one)) for one in before] == [(one.name, _place(one)) for one in again]
    assert [one.read() for one in again] == [one.read() for one in before]
    (tmp_path / "scans" / "b.tar").write_bytes(tar_of({"in/e.jpg": b"other", "d.jpg": b"dd"}))
    assert [one.fault.partition(" since")[0] for one in everything("colour/manifest") if one.offset] == [
        "scans/b.tar has changed"
    ] * 2
    rejected = {"name": "b/in/c.jpg", "status": "rejected", "uri": "scans/b.tar"}
    (tmp_path / "rejected.jsonl").write_text(json.dumps(rejected))
    with pytest.raises(UserError, match="use the folder `manifest` beside it as --input"):
        list(everything("rejected.jsonl"))


def _place(source: Source) -> dict[str, object]:
    return {"uri": source.uri, "offset": source.offset, "fingerprint": source.fingerprint}


def test_a_list_in_a_bucket_names_objects_and_folders(tmp_path):
    objects = {f"scans/{name}.jpg": name.encode() for name in ("a", "b", "sub/c")}
    rows = ["a.jpg", "gs://objects/scans/b.jpg", "sub", "gone.jpg", "gs://objects/top.jpg", "../top.jpg"]
    with served({**objects, "top.jpg": b"top", "scans/list.txt": "\n".join(rows).encode()}) as bucket:
        listed = list(everything(f"{bucket}/scans/list.txt"))
        assert [one.name for one in listed] == ["a.jpg", "b.jpg", "sub/c.jpg", "gone.jpg", "objects/top.jpg"]
        assert [one.reason for one in listed if one.fault] == ["missing"]
        assert [one.read() for one in listed if not one.fault] == [b"a", b"b", b"sub/c", b"top"]
        (tmp_path / "list.csv").write_text("uri\na.jpg\n")
        remote = everything(str(tmp_path / "list.csv"), ListOptions(root=f"{bucket}/scans/"))
        assert [(one.name, one.uri) for one in remote] == [("a.jpg", f"{bucket}/scans/a.jpg")]


def test_flags_for_lists_are_refused_where_there_is_no_list(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"a")
    with pytest.raises(UserError, match="--root and --input_columns are for lists"):
        input_checks.check_any(str(tmp_path), ListOptions(root="x"))


def test_a_disk_that_is_unmounted_makes_no_photo_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 0.1)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(listed_photos, "_KNOWN", listed_photos._Known())
    (tmp_path / "a.jpg").write_bytes(b"a")
    photos = iter(sources.files(_branch(tmp_path, ["a.jpg", "b.jpg"]), "", is_input=True))
    assert next(photos).fault == ""
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(OutageError):
        next(photos)


def _branch(folder: Path, rows: list[str]):
    (folder / "list.txt").write_text("\n".join(rows))
    return next(input_paths.branches(input_paths.of(str(folder / "list.txt"))[0]))


def test_a_process_that_moved_to_another_folder_does_not_take_its_disk_for_unmounted(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 0.1)
    monkeypatch.setattr(listed_photos, "_KNOWN", listed_photos._Known())
    monkeypatch.setattr(local_reads.NEIGHBOURS, "_recent", deque())
    for folder in ("one", "two"):
        (tmp_path / folder / "scans").mkdir(parents=True)
        (tmp_path / folder / "list.txt").write_text("scans/a.jpg\nscans/b.jpg\n")
    (tmp_path / "one" / "scans" / "a.jpg").write_bytes(b"a")
    monkeypatch.chdir(tmp_path / "one")
    found, _ = everything("list.txt")
    assert found.read() == b"a"
    monkeypatch.chdir(tmp_path / "two")
    assert [photo.reason for photo in everything("list.txt")] == ["missing", "missing"]
    with pytest.raises(Rejected):
        replace(found, uri="scans/a.jpg").read()
