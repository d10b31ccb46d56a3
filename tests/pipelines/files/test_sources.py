import io
import json
import os
import socket
import subprocess
import tarfile
from pathlib import Path

import apache_beam as beam
import pytest
import quick_pipeline
from apache_beam.testing.util import assert_that, equal_to
from objects import served
from photo_files import write_names

from pipelines.errors import Rejected
from pipelines.files.find_photos import FindPhotos
from pipelines.files.input_checks import check_any
from pipelines.files.listings import Branch, root_of
from pipelines.files.sources import Source, everything, files, find
from tfrecords.errors import UserError

FILES = ["a.jpg", "b [1].png", "deep/c.jpg", "deep/d.bin", "deep/er/ü ☕.tif", "z*.jpg"]


@pytest.fixture
def tree(tmp_path):
    return write_names(tmp_path / "photos", FILES)


def names(pattern) -> list[str]:
    found = list(find(str(pattern)))
    for source in found:
        assert source.read().decode() in FILES
    return [source.name for source in found]


def test_a_folder_is_all_that_is_below_it(tree):
    assert sorted(names(tree)) == FILES
    assert sorted(names(f"{tree}/")) == FILES
    assert names(tree) == names(tree)


def test_names_are_relative_and_lead_to_the_file(tree):
    for source in find(str(tree)):
        assert (tree / source.name).read_text() == source.name == source.read().decode()


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*", ["a.jpg", "b [1].png", "z*.jpg"]),
        ("*.jpg", ["a.jpg", "z*.jpg"]),
        ("?.jpg", ["a.jpg"]),
        ("**", FILES),
        ("**/*.jpg", ["a.jpg", "deep/c.jpg", "z*.jpg"]),
        ("[ab]*", ["a.jpg", "b [1].png"]),
        ("dee?/*.bin", ["deep/d.bin"]),
    ],
)
def test_globs(tree, glob, expected):
    assert sorted(names(tree / glob)) == expected


def test_a_glob_below_a_literal_folder_names_from_there(tree):
    assert names(tree / "deep" / "*.jpg") == ["c.jpg"]


@pytest.mark.parametrize("name", FILES)
def test_a_single_file_even_when_its_name_has_wildcards(tree, name):
    assert names(tree / name) == [name.rpartition("/")[2]]


def test_a_folder_with_brackets_in_its_name(tree):
    odd = tree.rename(tree.with_name("box [1-2] *"))
    assert sorted(names(odd)) == FILES


def test_relative_paths(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert sorted(names(".")) == FILES
    assert sorted(names("deep")) == ["c.jpg", "d.bin", "er/ü ☕.tif"]
    assert names("a.jpg") == ["a.jpg"]
    assert names("*.jpg") == ["a.jpg", "z*.jpg"]
    assert names("./deep/*.jpg") == ["c.jpg"]


def test_links_to_files_count_and_links_to_folders_are_told_and_not_followed(tree):
    (tree / "again.jpg").symlink_to(tree / "a.jpg")
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    (tree / "deep" / "itself").symlink_to("itself")
    os.mkfifo(tree / "pipe.jpg")
    for pattern in (tree, tree / "**"):
        found = {source.name: source for source in find(str(pattern))}
        assert sorted(found) == sorted([*FILES, "again.jpg", "loop", "deep/itself"])
        assert {name for name, source in found.items() if source.fault} == {"loop", "deep/itself"}
        with pytest.raises(Rejected) as verdict:
            found["loop"].read()
        assert verdict.value.reason == "linked_folder"
        assert verdict.value.detail == f"linked folder not followed: {tree}/loop leads to {tree}"
        assert "symbolic links" in found["deep/itself"].fault


def test_pipes_and_sockets_are_ignored_in_an_input_and_left_out_elsewhere(tree, monkeypatch):
    monkeypatch.chdir(tree)
    os.mkfifo("deep/scan.jpg.xmp")
    with socket.socket(socket.AF_UNIX) as served:
        served.bind("socket.jpg")
    found = {one.name: one for one in files(Branch(path=str(tree)), str(tree), is_input=True)}
    ignored = [one for one in found.values() if one.is_ignored]
    assert sorted(one.name for one in ignored) == ["deep/scan.jpg.xmp", "socket.jpg"]
    for one in ignored:
        with pytest.raises(Rejected, match="not a regular file"):
            one.read()
    assert {one.name for one in files(Branch(path=str(tree)), str(tree))} == set(FILES)


def test_a_folder_with_a_link_to_itself_at_the_top_is_listed(tree):
    (tree / "itself.jpg").symlink_to("itself.jpg")
    found = {source.name: source.fault for source in find(str(tree))}
    assert {name for name, fault in found.items() if fault} == {"itself.jpg"}
    assert sorted(found) == sorted([*FILES, "itself.jpg"])


def test_a_link_that_a_glob_names_may_lead_to_a_folder(tree, tmp_path):
    (tmp_path / "linked").symlink_to(tree)
    assert names(tmp_path / "l*" / "*.jpg") == ["linked/a.jpg", "linked/z*.jpg"]


def test_folders_may_be_nested_deeper_than_python_calls(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open("a.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    try:
        assert [source.name for source in find(str(tmp_path))] == ["d/" * 1200 + "a.jpg"]
    finally:  # pytest clears up with a function that calls itself
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


def test_a_dangling_link_whose_name_is_a_glob_lists_nothing_else(tree):
    (tree / "[ab].jpg").symlink_to("nowhere")
    found = [source.name for source in find(str(tree))]
    assert sorted(found) == sorted([*FILES, "[ab].jpg"])


def test_a_folder_may_itself_be_a_link(tree, tmp_path):
    (tmp_path / "link").symlink_to(tree, target_is_directory=True)
    assert sorted(names(tmp_path / "link")) == FILES


@pytest.mark.parametrize(
    ("pattern", "root"),
    [
        ("/data/photos", "/data/photos"),
        ("/data/photos/", "/data/photos"),
        ("/", "/"),
        ("/*.jpg", "/"),
        ("/data/*/x/*.jpg", "/data"),
        ("*.jpg", ""),
        ("gs://bucket/scans", "gs://bucket/scans"),
        ("gs://bucket/scans/**/*.tif", "gs://bucket/scans"),
        ("gs://bucket/a?c", "gs://bucket"),
    ],
)
def test_root_of(pattern, root):
    assert root_of(pattern) == root


def test_the_transform_gives_every_source_once(tree):
    expected = [
        Source(uri=str(tree / name), name=name, size=stat.st_size, fingerprint=f"{stat.st_size}-{stat.st_mtime_ns}")
        for name, stat in ((name, (tree / name).stat()) for name in FILES)
    ]
    with quick_pipeline.running() as pipeline:
        assert_that(pipeline | FindPhotos(str(tree)), equal_to(expected))


def add_tar(path, files: dict[str, bytes]) -> bytes:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path.read_bytes()


def read(source: Source) -> tuple[str, str]:
    try:
        return source.name, source.read().decode()
    except Rejected as verdict:
        return source.name, verdict.detail


def transformed(pattern: str, tmp_path: Path) -> dict[str, str]:
    """Each source's name with its content, or with why there is none."""
    file = tmp_path / "found.json"

    def keep(pairs: list[tuple[str, str]]) -> None:
        assert len(dict(pairs)) == len(pairs)
        file.write_text(json.dumps(dict(pairs)))

    with quick_pipeline.running() as pipeline:
        _ = pipeline | FindPhotos(pattern) | beam.Map(read) | beam.combiners.ToList() | beam.Map(keep)
    return json.loads(file.read_text())


def test_tars_and_tars_of_tars_are_folders(tree, tmp_path):
    inner = add_tar(tree / "deep" / "n01440764.tar", {"n01440764_1.JPEG": b"one", "n01440764_2.JPEG": b"two"})
    add_tar(tree / "all.tar", {"n01443537.tar": inner, "loose.jpg": b"loose", "broken.tar": b"x" * 600})
    found = transformed(str(tree), tmp_path)
    assert {name for name in found if not name.startswith("all/broken")} == {
        *FILES,
        "deep/n01440764/n01440764_1.JPEG",
        "deep/n01440764/n01440764_2.JPEG",
        "all/n01443537/n01440764_1.JPEG",
        "all/n01443537/n01440764_2.JPEG",
        "all/loose.jpg",
    }
    assert found["all/n01443537/n01440764_2.JPEG"] == found["deep/n01440764/n01440764_2.JPEG"] == "two"
    assert found["all/loose.jpg"] == "loose"
    assert "not a tar" in found["all/broken.tar"]


def test_a_tar_as_the_input_lends_its_photos_no_folder(tree, tmp_path):
    add_tar(tree / "flowers.tar", {"rose/1.jpg": b"rose"})
    assert transformed(str(tree / "flowers.tar"), tmp_path) == {"rose/1.jpg": "rose"}


SAMPLES = {
    **{f"00{i}.{end}": b"0" for i in range(3) for end in ("cls", "json", "txt", "jpg", "seg.png", "JSON")},
    "._000.jpg": b"0",
    "labels/README.MD": b"0",
    "labels/scan": b"0",
}
PHOTOS = {"labels/scan", *(f"00{index}.{ending}" for index in range(3) for ending in ("jpg", "seg.png"))}


def test_what_is_not_a_photo_by_its_name_is_left_out_of_folders_buckets_and_tars_alike(tmp_path, capsys):
    folder, tar = tmp_path / "folder", tmp_path / "samples.tar"
    (folder / "labels").mkdir(parents=True)
    for name, data in SAMPLES.items():
        (folder / name).write_bytes(data)
    add_tar(tar, SAMPLES)
    add_tar(tmp_path / "tars.tar", {"samples.tar": tar.read_bytes()})
    assert set(transformed(str(folder), tmp_path)) == PHOTOS
    assert set(transformed(f"{folder}/**", tmp_path)) == PHOTOS
    assert set(transformed(str(tar), tmp_path)) == PHOTOS
    assert set(transformed(str(tmp_path / "tars.tar"), tmp_path)) == {f"samples/{name}" for name in PHOTOS}
    with served({f"samples/{name}": data for name, data in SAMPLES.items()}) as uri:
        assert set(transformed(f"{uri}/samples", tmp_path)) == PHOTOS
        assert list(transformed(f"{uri}/samples/000.cls", tmp_path)) == ["000.cls"]
    assert capsys.readouterr().err.count("files whose names are not those of photos") <= 1


def test_a_file_that_the_user_names_is_taken_for_a_photo(tree, tmp_path):
    (tree / "a.cls").write_text("a")
    assert transformed(str(tree / "a.cls"), tmp_path) == {"a.cls": "a"}
    (tree / "only").mkdir()
    (tree / "only" / "a.txt").write_text("a")
    with pytest.raises(UserError, match="only has no photos"):
        check_any(str(tree / "only"))


def test_photos_of_several_paths_have_names_that_tell_them_apart(tree, tmp_path):
    for name in ("box.tar", "more.tar"):
        add_tar(tmp_path / name, {"a.jpg": name.encode()})
    (tmp_path / "photos" / "twin" / "deep").mkdir(parents=True)
    (tmp_path / "photos" / "twin" / "deep" / "c.jpg").write_text("twin")
    paths = [str(tmp_path / name) for name in ("more.tar", "photos/twin/deep", "box.tar", "photos/deep/er")]
    expected = {"box/a.jpg": "box.tar", "more/a.jpg": "more.tar", "deep/c.jpg": "twin", "er/ü ☕.tif": FILES[4]}
    assert transformed(paths, tmp_path) == expected
    assert transformed(paths[::-1], tmp_path) == expected
    assert {source.name for source in everything(paths)} == set(expected)


def test_a_photo_below_two_paths_of_the_input_is_taken_once(tree, tmp_path):
    paths = [str(tree), str(tree / "deep"), f"{tree}/deep/*.jpg", str(tree / "a.jpg"), f"{tree}/./a.jpg", f"{tree}/"]
    found = transformed(paths, tmp_path)
    assert sorted(found.values()) == sorted(FILES)
    assert transformed(paths[::-1], tmp_path) == found
    assert sorted(source.read().decode() for source in everything(paths)) == sorted(FILES)


def test_a_tar_cut_short_gives_what_is_whole_and_itself_as_a_fault(tree, tmp_path):
    path = tree / "cut.tar"
    data = add_tar(path, {"a.jpg": b"a" * 2000, "b.jpg": b"b" * 2000})
    path.write_bytes(data[:4000])
    found = transformed(str(path), tmp_path)
    assert found["a.jpg"] == "a" * 2000
    assert "truncated" in found["cut.tar"]
