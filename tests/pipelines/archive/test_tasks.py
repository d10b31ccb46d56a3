import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import apache_beam as beam
import pytest
import quick_pipeline
from apache_beam.testing.util import assert_that, equal_to
from colorized_folder import Folder, sha256
from one_task import RECIPE

from pipelines import notices
from pipelines.archive import manifest, output_files
from pipelines.archive.manifest import Output
from pipelines.archive.resume import Policy, Task
from pipelines.archive.selection import ALL, Selection
from pipelines.archive.tasks import FindTasks, Found
from pipelines.files import contents
from pipelines.files.find_photos import FindPhotos
from pipelines.files.sources import files

NAMES = [f"{number:02}.jpg" for number in range(20)]


def test_a_larger_sample_holds_a_smaller_one_and_is_not_the_first_by_name():
    ranked = sorted(NAMES, key=Selection(sample=5).rank)
    assert ranked == sorted(NAMES, key=Selection(sample=9).rank)
    assert ranked != sorted(NAMES)


def test_a_limit_takes_the_first_by_name():
    assert sorted(["b", "a", "caf\udce9", "c"], key=Selection(limit=2).rank) == ["a", "b", "c", "caf\udce9"]
    assert (Selection(limit=2).size, Selection(sample=3).size, ALL.size) == (2, 3, 0)


@pytest.fixture
def folder(tmp_path) -> Folder:
    """Three sources; two have a record, one of them a file that fits it."""
    made = Folder(tmp_path)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        path = made.sources / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    about = (made.sources / "a.jpg").stat()
    made.record("a.jpg", b"a.jpg", status="rejected", reason="unreadable")
    made.records[0] = replace(
        made.records[0],
        fingerprint=f"{about.st_size}-{about.st_mtime_ns}",
        model_digest=RECIPE.model_digest,
        settings_digest=RECIPE.settings_digest,
    )
    made.record("gone.jpg", b"gone")
    made.write()
    return made


def found(folder: Folder, check, selection: Selection = ALL, begin: beam.DoFn | None = None) -> None:
    with quick_pipeline.running() as pipeline:
        sources = pipeline | FindPhotos(str(folder.sources))
        check(sources | FindTasks(str(folder.output), Policy(recipe=RECIPE), selection=selection, begin=begin))


def told(task: Task) -> tuple[str, bool]:
    return task.named.source.name, task.existing is not None


def test_every_input_is_one_task_and_what_is_recorded_is_known(folder):
    found(
        folder,
        lambda found: assert_that(
            found.tasks | beam.Map(told), equal_to([("a.jpg", True), ("b.jpg", False), ("c.jpg", False)])
        ),
    )


def test_a_selection_leaves_out_what_is_not_selected_but_no_record(folder):
    found(
        folder,
        lambda found: assert_that(found.tasks | beam.Map(told), equal_to([("a.jpg", True), ("b.jpg", False)])),
        Selection(limit=2),
    )


def test_shards_journals_and_unfinished_files_are_told_apart(folder):
    (folder.output / manifest.JOURNAL).mkdir(parents=True)
    (folder.output / manifest.JOURNAL / "0a-1-0b.jsonl").write_bytes(b"")
    (folder.output / ".d.jpg.0123456789abcdef.part").write_bytes(b"half")

    def check(found) -> None:
        names = [f"{manifest.JOURNAL}/0a-1-0b.jsonl", "manifest/photos-00000-of-00001.jsonl"]
        names.append("manifest/timings-00000-of-00001.jsonl")
        is_record = found.records | "N" >> beam.Map(lambda file: file.name) | beam.Filter(names.__contains__)
        assert_that(is_record, equal_to(names[:2]), "records")

    found(folder, check)


def test_what_the_report_and_other_partitions_wrote_is_not_listed(folder):
    own = ("report/data/00001.js", "report/thumbnails/9f/3a.jpg", "report/names/words/00001.js")
    partition = "manifest/partitions/00001-of-00002/manifest/photos-00000-of-00001.jsonl"
    for name in (*own, partition, "report/photo.jpg", "reports/data/a.jpg"):
        path = folder.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    listed = [
        file for branch in output_files.branches(f"{folder.output}/") for file in files(branch, str(folder.output))
    ]
    assert {file.name for file in listed} == {
        "manifest/photos-00000-of-00001.jsonl",
        "manifest/timings-00000-of-00001.jsonl",
        "report/photo.jpg",
        "reports/data/a.jpg",
    }


def test_tasks_that_are_spread_are_the_same(folder):
    with quick_pipeline.running() as pipeline:
        sources = pipeline | FindPhotos(str(folder.sources))
        spread = sources | FindTasks(str(folder.output), Policy(recipe=RECIPE), spread=True)
        assert_that(spread.tasks | beam.Map(told), equal_to([("a.jpg", True), ("b.jpg", False), ("c.jpg", False)]))


def test_damage_is_told_and_what_is_left_is_not_believed_unseen(folder, monkeypatch, capsys):
    monkeypatch.setattr(notices, "_told_here", notices.Board())
    shard = next((folder.output / "manifest").glob("photos-*"))
    shard.write_bytes(shard.read_bytes() + b"{half a rec\n")
    with notices.on_terminal():
        found(
            folder,
            lambda found: assert_that(
                found.damaged | beam.Map(lambda line: Path(line.split(" ")[0]).name[:6]), equal_to(["photos"])
            ),
        )
    err = capsys.readouterr().err
    assert "photos without a record are made again" in err


def colorized(folder: Folder, **fields: object) -> None:
    """A record of b.jpg, whose times are lost, and its file."""
    (folder.output / "b.jpg").write_bytes(b"colour")
    output = Output(
        name="b.jpg",
        page=1,
        width=60,
        height=40,
        bytes=6,
        sha256=contents.sha256(b"colour"),
        tone="grayscale",
        colourfulness=31.2,
    )
    about = (folder.sources / "b.jpg").stat()
    record = replace(folder.records[0], name="b.jpg", status="written", reason="", outputs=(output,))
    folder.records[1] = replace(record, fingerprint=f"{about.st_size}-{about.st_mtime_ns}", **fields)
    folder.write()


def needs_check(task: Task) -> tuple[str, bool]:
    return task.named.source.name, task.needs_check


def test_a_record_of_a_damaged_file_is_checked_before_it_is_believed(folder):
    colorized(folder)
    expected = [("a.jpg", False), ("b.jpg", False), ("c.jpg", False)]
    found(folder, lambda found: assert_that(found.tasks | beam.Map(needs_check), equal_to(expected)))
    shard = next((folder.output / "manifest").glob("photos-*"))
    shard.write_bytes(shard.read_bytes() + b"{half a rec\n")
    expected[1] = ("b.jpg", True)
    found(folder, lambda found: assert_that(found.tasks | beam.Map(needs_check), equal_to(expected)))


def test_what_other_settings_made_is_made_again_only_if_it_is_selected(folder):
    colorized(folder, settings_digest="others")
    for limit, is_known in ((1, True), (2, False)):
        expected = [("a.jpg", True), ("b.jpg", is_known)]
        check = partial(check_told, expected)
        found(folder, check, Selection(limit=limit))


def check_told(expected: list[tuple[str, bool]], found: Found) -> None:
    assert_that(found.tasks | beam.Map(told), equal_to(expected))


class Begin(beam.DoFn):
    """Leaves a file where the output is listed."""

    def process(self, output: bytes):
        (Path(os.fsdecode(output)) / "c.jpg").write_bytes(b"theirs")
        yield output


def test_the_output_is_listed_after_the_run_has_begun(folder):
    def files(task: Task) -> tuple[str, list[str]]:
        return task.named.source.name, [file.name for file in task.files]

    expected = [("a.jpg", []), ("b.jpg", []), ("c.jpg", ["c.jpg"])]
    found(folder, lambda found: assert_that(found.tasks | beam.Map(files), equal_to(expected)), begin=Begin())


def made(folder: Folder, *names: str) -> None:
    """Photos that an earlier run made, without their sources."""
    for name in names:
        (folder.output / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.output / name).write_bytes(b"colour")
        output = Output(
            name=name, page=0, width=1, height=1, bytes=6, sha256=sha256(b"colour"), tone="", colourfulness=1
        )
        folder.record(name, b"source", outputs=(output,))
    folder.write()


def test_photos_that_are_gone_are_told_of_if_their_colour_files_are_there(folder, monkeypatch):
    told = []
    monkeypatch.setattr(notices, "tell", lambda subject, line, severity=0: told.append(line) or True)
    made(folder, *(f"d/lost {number} \udcff.jpg" for number in range(4)), "e.jpg")
    (folder.output / "e.jpg").unlink()
    found(folder, lambda _: None)
    [line] = told
    assert line == (
        "4 photos of earlier runs are not in the input any more: d/lost 0 \udcff.jpg, d/lost 1 \udcff.jpg, "
        f"d/lost 2 \udcff.jpg and 1 more; the colour files stay in {folder.output} without a record"
    )


def test_a_colour_file_that_belongs_to_another_photo_now_is_not_told_of(folder, monkeypatch):
    monkeypatch.setattr(notices, "tell", lambda *_: pytest.fail("told"))
    made(folder, "scan.jpg")
    folder.records[-1] = replace(folder.records[-1], name="scan.bmp")
    folder.write()
    (folder.sources / "scan.jpg").write_bytes(b"another")
    found(folder, lambda _: None)
