from pathlib import Path

import pytest

from pipelines.archive.places import OccupiedError, Placed, place
from pipelines.files import contents, marks
from pipelines.files.beneath import LinkError

FILES = {"box/a.jpg": b"colour", "box/b.jpg": b"more colour"}


def digests(*data: bytes) -> frozenset[str]:
    return frozenset(map(contents.sha256, data))


@pytest.fixture
def events() -> list[str]:
    return []


def put(output: Path, events: list[str], ours=None, **options: object) -> dict[str, Placed]:
    return place(
        str(output),
        FILES,
        ours or {},
        3,
        announce=lambda: events.append("announced"),
        check=lambda: events.append("checked"),
        **options,
    )


def test_new_files_are_announced_checked_marked_and_have_fingerprints(tmp_path, events):
    placed = put(tmp_path, events)
    assert events[0] == "announced"
    assert events.count("checked") >= 2
    for name, data in FILES.items():
        path = tmp_path / name
        assert path.read_bytes() == data
        assert placed[name] == Placed(contents.fingerprint(str(path)), replaced=False)
        assert marks.read(str(path), contents.sha256(data)) == 3


def test_what_is_there_byte_by_byte_is_left_alone_and_not_announced(tmp_path, events):
    put(tmp_path, [])
    before = {name: (tmp_path / name).stat().st_ino for name in FILES}
    placed = put(tmp_path, events)
    assert events == []
    assert {name: (tmp_path / name).stat().st_ino for name in FILES} == before
    assert not any(one.replaced for one in placed.values())


def test_where_one_place_is_occupied_nothing_is_written(tmp_path, events):
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "b.jpg").write_bytes(b"theirs")
    with pytest.raises(OccupiedError) as occupied:
        put(tmp_path, events)
    assert set(occupied.value.found) == {"box/b.jpg"}
    assert occupied.value.found["box/b.jpg"].sha256 == contents.sha256(b"theirs")
    assert [path.name for path in (tmp_path / "box").iterdir()] == ["b.jpg"]
    assert events == []


def test_what_an_earlier_run_wrote_is_replaced(tmp_path, events):
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "b.jpg").write_bytes(b"pale colour")
    placed = put(tmp_path, events, {"box/b.jpg": digests(b"pale colour")})
    assert (placed["box/a.jpg"].replaced, placed["box/b.jpg"].replaced) == (False, True)
    assert (tmp_path / "box" / "b.jpg").read_bytes() == FILES["box/b.jpg"]


def test_a_person_may_ask_for_theirs_to_be_replaced(tmp_path, events):
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "b.jpg").write_bytes(b"theirs")
    assert put(tmp_path, events, replace_changed=True)["box/b.jpg"].replaced


def test_a_check_that_fails_ends_the_writing(tmp_path):
    def lost() -> None:
        raise RuntimeError("another run has the folder")

    with pytest.raises(RuntimeError, match="another run"):
        place(str(tmp_path), FILES, {}, 1, check=lost)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_in_the_place_of_a_file_is_an_error_of_that_photo(tmp_path, events):
    (tmp_path / "box" / "a.jpg").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="something that is not a file is there"):
        put(tmp_path, events)


def test_a_linked_folder_is_not_written_through(tmp_path, events):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "box").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LinkError):
        put(tmp_path / "out", events)
    assert list((tmp_path / "elsewhere").iterdir()) == []
