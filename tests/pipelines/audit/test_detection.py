import json

import pytest

from pipelines.audit.detection import detect
from pipelines.audit.examine import examine
from pipelines.errors import Undecided
from pipelines.files import sources
from pipelines.runtime.photo_process import PhotoProcesses


@pytest.fixture(scope="module")
def processes():
    made = PhotoProcesses(examine)
    yield made
    made.close()


def test_a_file_gets_one_line_in_words_and_one_in_json(tmp_path, encoded, photos, processes):
    (tmp_path / "cat.jpg").write_bytes(encoded(photos["chelsea"], "JPEG"))
    [source] = sources.find(str(tmp_path))
    found = detect(source, processes, cropped=False)
    assert str(found) == "cat.jpg: no watermark (searched: whole pictures, turned and mirrored); no mark in XMP"
    said = json.loads(found.to_json())
    assert (said["name"], said["status"], said["signature"]["status"]) == ("cat.jpg", "unmarked", "none")


def test_a_broken_file_is_rejected_with_its_reason(tmp_path, processes):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    [source] = sources.find(str(tmp_path))
    found = detect(source, processes, cropped=False)
    assert (found.status, found.reason) == ("rejected", "unreadable")
    assert json.loads(found.to_json())["reason"] == "unreadable"
    assert str(found).startswith("broken.jpg: unreadable: ")


class _Dying:
    def call(self, *_: object, **__: object) -> None:
        raise Undecided("crashed", "its process died of SIGSEGV")


def test_a_file_that_kills_its_process_is_tried_again_and_then_rejected(tmp_path, encoded, photos):
    (tmp_path / "cat.jpg").write_bytes(encoded(photos["chelsea"], "JPEG"))
    [source] = sources.find(str(tmp_path))
    with pytest.raises(Undecided):
        detect(source, _Dying(), cropped=False)
    assert detect(source, _Dying(), cropped=False, last=True).reason == "crashed"
