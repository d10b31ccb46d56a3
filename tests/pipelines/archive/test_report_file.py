import json

from pipelines.archive import report_file
from pipelines.archive.manifest import Record


def test_warnings_are_counted_by_code_and_what_names_their_subject_is_not():
    told = ("exif_shortened", "left out: EXIF MakerNote")
    told += ("written as a~2.jpg: its name is that of another photo", "b.jpg is still in the output")
    record = Record(name="a.jpg", uri="", offset=None, fingerprint="", status="written", warnings=told)
    assert report_file.warning_codes(record) == {"exif_shortened", "renamed", "left_over"}
    report = json.loads(report_file.summary([("written", 3)], {}, [("renamed", 2), ("exif_broken", 1)]))
    assert list(report["warnings"].items()) == [("exif_broken", 1), ("renamed", 2)]


def test_the_report_adds_up():
    report = json.loads(report_file.summary([("written", 3), ("unreadable", 2)], {"model": "unet"}))
    assert report == {"model": "unet", "inputs": 5, "outcomes": {"unreadable": 2, "written": 3}}
