import logging
from dataclasses import replace
from pathlib import Path

import misbehaviour
import pytest

from pipelines.dataset.conversion import converted
from pipelines.dataset.converted import Converted
from pipelines.dataset.measures import Measures
from pipelines.errors import Rejected, Undecided
from pipelines.files.sources import Source, find
from pipelines.images.limits import Limits
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.errors import WorldError


class Children:
    """Stands for the child processes: tells what it was asked, and misbehaves for photos named after it."""

    def __init__(self, *, together: bool = True) -> None:
        self.calls: list[str] = []
        self._together = together

    def call_together(self, photos):
        self.calls.append(f"together {len(photos)}")
        return tuple(self._result(name) for _, (name, _, _) in photos) if self._together else None

    def call(self, data: bytes, name: str, size: int, label: str, *, alone: bool = False) -> Converted:
        self.calls.append(f"{name} {'alone' if alone else 'once'}")
        if name.startswith("bad"):
            raise Rejected("unreadable", "cut short")
        if name.startswith("slow") and (not alone or "always" in name):
            raise Undecided("timed_out", "not done after 60 s")
        if name.startswith("large"):
            raise Undecided("out_of_memory", "more memory than there is")
        return self._result(name)

    def _result(self, name: str) -> Converted:
        return Converted(reason="grayscale", detail=name, milliseconds={"decode": 2.0})


def sources(tmp_path: Path, *names: str, size: int = 9) -> list[Source]:
    for name in names:
        (tmp_path / name).write_bytes(b"x" * size)
    return list(find(str(tmp_path)))


def test_small_photos_go_together_in_order(tmp_path):
    photos, children = sources(tmp_path, *(f"{number:02}.jpg" for number in range(18))), Children()
    found = list(converted(photos, 64, children, Measures()))
    assert [source for source, _ in found] == photos
    assert [result.detail for _, result in found] == [photo.name for photo in photos]
    assert children.calls == ["together 8", "together 8", "together 2"]


def test_large_photos_go_alone(tmp_path):
    children = Children()
    list(converted(sources(tmp_path, "a.jpg", "b.jpg", size=1 << 20), 64, children, Measures()))
    assert children.calls == ["a.jpg once", "b.jpg once"]


def test_one_that_misbehaves_has_all_of_its_batch_done_one_by_one(tmp_path, caplog):
    children = Children(together=False)
    with caplog.at_level("INFO", "pipelines.dataset"):
        found = list(
            converted(sources(tmp_path, "a.jpg", "bad.jpg", "slow.jpg", "slow always.jpg"), 64, children, Measures())
        )
    assert {source.name: (result.reason, result.detail) for source, result in found} == {
        "a.jpg": ("grayscale", "a.jpg"),
        "bad.jpg": ("unreadable", "cut short"),
        "slow.jpg": ("grayscale", "slow.jpg"),
        "slow always.jpg": ("timed_out", "not done after 60 s"),
    }
    assert children.calls[0] == "together 4"
    assert "slow.jpg alone" in children.calls
    assert ("pipelines.dataset", logging.INFO, "slow.jpg: not done after 60 s; trying again, in a fresh process") in (
        caplog.record_tuples
    )


def test_a_photo_that_breaks_its_process_is_rejected_alone_wherever_it_is_in_its_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(Limits, "of", lambda size, **_: Limits(memory=300_000_000, processor=1, wall=60))
    misbehave = {0: (b"#die 11", "crashed"), 8 + 3: (b"#spin", "timed_out"), 16 + 7: (b"#fill", "too_large")}
    for number in range(3 * 8):
        (tmp_path / f"{number:02}.jpg").write_bytes(misbehave.get(number, (b"photo",))[0])
    processes = PhotoProcesses(misbehaviour.convert)
    found = list(converted(list(find(str(tmp_path))), 32, processes, Measures()))
    assert [source.name for source, _ in found] == [f"{number:02}.jpg" for number in range(24)]
    expected = [misbehave.get(number, (b"", "grayscale"))[1] for number in range(24)]
    assert [result.reason for _, result in found] == expected


def test_a_machine_without_memory_ends_the_job_and_blames_no_photo(tmp_path):
    with pytest.raises(WorldError, match=r"^large\.jpg: more memory than there is; give the workers more memory"):
        list(converted(sources(tmp_path, "large.jpg"), 64, Children(), Measures()))


def test_duplicates_and_faults_are_not_converted(tmp_path):
    a, b, c = sources(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    (tmp_path / "c.jpg").unlink()
    children = Children()
    photos = [replace(a, duplicate_of="0.jpg"), replace(b, fault="linked", reason="linked_folder"), c]
    found = [result for _, result in converted(photos, 64, children, Measures())]
    assert [one.reason for one in found] == ["duplicate", "linked_folder", "unreadable"]
    assert found[0].detail == "the same bytes as 0.jpg"
    assert children.calls == []
