import json
import os
from dataclasses import asdict

import pytest
from one_task import RECIPE

from pipelines.archive import dry_run
from pipelines.archive.forecast import Forecast
from pipelines.archive.resume import Policy
from pipelines.archive.tasks import FindTasks
from pipelines.files.find_photos import FindPhotos

MADE = Forecast(action="make", replaces=("a.jpg.p001.png", "a.jpg.p002.png"), removes=("a.jpg",))


def test_a_line_names_the_action_and_each_file_that_goes_has_one():
    assert dry_run.lines("a.jpg", MADE) == [
        ("make, replaces a.jpg.p001.png, a.jpg.p002.png", "a.jpg"),
        ("remove a.jpg", "a.jpg"),
    ]
    assert dry_run.lines("b.jpg", Forecast(action="keep")) == [("keep", "b.jpg")]


def test_a_worker_s_line_is_read_back():
    for one in (MADE, Forecast(action="keep")):
        assert dry_run._read(json.dumps(["caf\udce9.jpg", asdict(one)])) == ("caf\udce9.jpg", one)


def test_sums_add_up_to_the_inputs_and_leave_out_what_is_zero():
    assert dry_run.sums([MADE, Forecast(action="make"), Forecast(action="keep")]) == (
        "3 inputs; keep: 1, make: 2, files to replace: 2, files to remove: 1"
    )
    assert dry_run.sums([Forecast(action="keep")] * 1200) == "1,200 inputs; keep: 1,200"
    assert dry_run.sums([]) == "0 inputs"
    assert dry_run.sums([Forecast(action="keep")], 1) == "2 inputs; keep: 1, ignored: 1"
    assert dry_run.sums([], 1) == "1 input; ignored: 1"


@pytest.fixture
def scans(tmp_path):
    for name in ("b.jpg", "a.tif", "caf\udce9.jpg"):
        path = tmp_path / "scans" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"photo")
    return tmp_path / "scans"


def test_a_run_is_shown_in_order_of_name_and_writes_nothing(scans, tmp_path, capsys):
    output = tmp_path / "colour"
    output.mkdir()
    (output / "b.jpg").write_bytes(b"theirs")
    (scans / "a.tif.txt").write_text("a caption")
    os.mkfifo(scans / "pipe.jpg")
    dry_run.show(FindPhotos(str(scans)), FindTasks(str(output), Policy(recipe=RECIPE)), "colour")
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "make\ta.tif",
        "keep, occupied\tb.jpg",
        "make\tcaf\\udce9.jpg",
        "colour: 5 inputs; keep, occupied: 1, make: 2, ignored: 2",
    ]
    assert err.count("ignoring ") == 2
    assert [path.name for path in output.iterdir()] == ["b.jpg"]
