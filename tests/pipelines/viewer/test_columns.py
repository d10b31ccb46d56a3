import pytest
from colorized_folder import Folder

from pipelines.archive.manifest import Output
from pipelines.viewer import columns
from pipelines.viewer.columns import Columns


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Columns:
    """Seven photos in files of three; the third is rejected, the fifth has a warning."""
    monkeypatch.setattr(columns, "PHOTOS_PER_FILE", 3)
    monkeypatch.setattr(columns, "RANKED", 4)
    made, folder = Columns(keys=["written", "unreadable"]), Folder(tmp_path)
    for number, value in enumerate([5.0, 9.0, None, 5.0, 1.0, 9.0, 3.0]):
        output = Output(
            name="a", page=1, width=1, height=1, bytes=1, sha256="", tone="color", colourfulness=value, picture=None
        )
        reason = "unreadable" if value is None else ""
        made.add(
            folder.record(
                f"{number}.jpg",
                status="rejected" if reason else "written",
                reason=reason,
                outputs=() if reason else (output,),
                warnings=("faded",) if number == 4 else (),
            )
        )
        if made.is_full:
            made.taken()
    made.taken()
    return made


def test_the_counts_of_each_file_add_up(filled):
    assert filled.counts() == {"outcomes": [[2, 3, 1], [1, 0, 0]], "inColour": [2, 3, 1], "warned": [0, 1, 0]}


def test_the_most_and_the_least_colourful_come_first_and_equal_ones_in_order_of_name(filled):
    assert filled.ranked() == ([1, 5, 0, 3], [4, 6, 0, 3])
