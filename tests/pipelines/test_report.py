import os
import shutil
import subprocess
import sys
from copy import copy
from pathlib import Path

import disk_faults
import hostile_viewer
import pytest
from colorized_folder import Folder, colorized
from command_line import mistake
from disk_faults import DiskFaults
from rich.console import Console

from pipelines import cli, report
from pipelines.archive import report_file
from pipelines.archive.journal import Journal
from pipelines.archive.ledger import Ledger
from pipelines.images.limits import Limits
from pipelines.viewer.summary import Summary
from pipelines.viewer.thumbnails import Sheet, listed


@pytest.fixture(scope="module")
def original(tmp_path_factory, photos) -> Folder:
    return colorized(tmp_path_factory.mktemp("report"), photos)


@pytest.fixture
def folder(original, tmp_path) -> Folder:
    """The folder, to do anything with; its sources are shared."""
    copied = copy(original)
    copied.output = Path(shutil.copytree(original.output, tmp_path / "colour"))
    return copied


def files(output: Path) -> dict[str, bytes]:
    made = [*output.glob("index.html"), *output.glob("report/**/*")]
    return {str(path.relative_to(output)): path.read_bytes() for path in made if path.is_file()}


def test_the_summary_is_printed_and_the_page_written(folder, capsys):
    assert cli.main(["report", str(folder.write())]) == 0
    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    for key, number in [("written", 9), ("kept", 1), ("copied", 1), ("skipped", 1), ("inputs", 14)]:
        assert [key, "│", str(number)] in lines
    assert ["rejected:", "unreadable", "│", "1"] in lines
    assert "12, 2.8 megapixels" in shown
    assert "in colour already  2\n" in shown
    assert "most colourful      76.9  album.tif\n" in shown
    assert "least colourful     38.0  <img src=x" in shown
    assert "caf\\udce9.png: name is no <b>UTF-8</b>" in shown
    assert ["write", "│", "0.8", "│", "29%", "│", "60.0"] in lines
    assert "index.html: open it in a browser; 1 thumbnail could not be made" in shown
    made = files(folder.output)
    assert {"index.html", "report/index.js", "report/data/00001.js", "report/names/00001.js"} < set(made)
    assert sum(name.startswith("report/thumbnails/") for name in made) == 16


def test_a_second_time_only_what_is_missing_is_made(folder):
    output = str(folder.write())
    assert report.main([output]) == 0
    first = files(folder.output)
    kept, *missing = (folder.output / name for name in sorted(first) if "thumbnails" in name)
    stamp = kept.stat().st_mtime_ns
    for path in missing[:3]:
        path.unlink()
    assert report.main([f"{output}/"]) == 0
    assert files(folder.output) == first
    assert kept.stat().st_mtime_ns == stamp


def test_what_no_photo_shows_any_longer_goes(folder):
    assert report.main([str(folder.write())]) == 0
    before = set(files(folder.output))
    foreign = folder.output / "report" / "thumbnails" / "ab" / "mine.jpg"
    foreign.parent.mkdir(parents=True, exist_ok=True)
    foreign.write_bytes(b"")
    folder.records = [record for record in folder.records if record.name != "album.tif"]
    assert report.main([str(folder.write())]) == 0
    after = set(files(folder.output))
    assert len(before - after) == 4  # two pages, before and after
    assert after - before == {"report/thumbnails/ab/mine.jpg"}


def test_sources_outputs_and_the_manifest_stay_as_they_are(folder):
    def seen() -> dict[Path, bytes]:
        paths = [*folder.sources.rglob("*"), *folder.output.rglob("*")]
        return {path: path.read_bytes() for path in paths if path.is_file() and path not in made()}

    def made() -> set[Path]:
        return {folder.output / name for name in files(folder.output)}

    folder.write()
    before = seen()
    assert report.main([str(folder.output)]) == 0
    assert seen() == before


def test_a_table_is_written_instead_of_the_page(folder, tmp_path, capsys):
    table = tmp_path / "tables" / "photos.CSV"
    assert cli.main(["report", str(folder.write()), "--table", str(table)]) == 0
    assert len(table.read_text("utf-8-sig").splitlines()) == 15
    assert f"{table}: 14 rows" in capsys.readouterr().out
    assert files(folder.output) == {}


@pytest.mark.parametrize(("name", "said"), [("photos.xls", ".csv nor .parquet"), ("gs://b/a.csv", "give a local path")])
def test_a_table_of_another_kind_or_elsewhere_is_refused(folder, capsys, name, said):
    assert cli.main(["report", str(folder.write()), "--table", name]) == 2
    assert said in capsys.readouterr().err


def test_a_table_of_damaged_records_says_what_it_lacks(tmp_path, capsys):
    made = Folder(tmp_path)
    made.record("a.jpg", b"scan", status="skipped")
    shard = made.write() / "manifest" / "photos-00000-of-00001.jsonl"
    shard.write_text(f"{shard.read_text()}torn\n")
    assert cli.main(["report", str(made.output), "--table", str(tmp_path / "photos.csv")]) == 0
    *_, damage, rows = capsys.readouterr().out.splitlines()
    assert damage == f"{shard} line 2 is not a record; run the same `autochrome colorize` again to repair it"
    assert rows.endswith("photos.csv: 1 row")


def test_a_table_that_cannot_be_written_is_the_fault_of_its_folder(folder, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    assert cli.main(["report", str(folder.write()), "--table", str(tmp_path / "file" / "photos.csv")]) == 2
    assert capsys.readouterr().err.startswith(f"autochrome: error: --table {tmp_path}/file cannot be written to (")


def test_a_table_on_a_full_disk_is_the_fault_of_the_disk(folder, tmp_path):
    (tmp_path / "counts").mkdir()
    path = tmp_path / "photos.csv"
    full = DiskFaults(tmp_path / "counts", r".*photos\.csv.*", ["ENOSPC"], times=99, events=["create"])
    ended = disk_faults.run(["report", str(folder.write()), "--table", str(path)], full.environment)
    assert full.met()
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        1,
        f"autochrome: error: {path}: No space left on device; free some space on the disk, then start again",
    )
    assert not path.exists()


def test_a_table_that_is_a_folder_is_refused(folder, tmp_path, capsys):
    (tmp_path / "photos.csv").mkdir()
    folder.write()
    said = mistake(["report", str(folder.output), "--table", str(tmp_path / "photos.csv")], tmp_path, capsys)
    assert said == f"--table {tmp_path}/photos.csv is a folder; name a file"


def test_the_counts_are_those_of_report_json_and_include_ignored_files(folder, capsys):
    folder.write()
    report.tell(Ledger.of(str(folder.output)), Summary.of(folder.records), Console())
    assert "ignored" not in capsys.readouterr().out
    (folder.output / "report.json").write_bytes(report_file.summary([("ignored", 3), ("written", 9)], {}))
    report.tell(Ledger.of(str(folder.output)), Summary.of(folder.records), Console())
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ignored", "│", "3"] in lines
    assert ["inputs", "│", "17"] in lines


def test_a_run_that_goes_on_is_told(folder, capsys):
    output = str(folder.write())
    journal = Journal(output, "ab")
    journal.add(folder.records[0])
    journal.close()
    assert report.main([output]) == 0
    assert "a run is not done or was killed" in capsys.readouterr().out


def test_a_damaged_record_is_told_with_its_line(folder, capsys):
    path = folder.write() / "manifest" / "photos-00000-of-00001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1][:99] + b"\n", *lines[2:]]))
    assert report.main([str(folder.output)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "not a record" in line]
    assert said == [f"{path} line 2 is not a record; run the same `autochrome colorize` again to repair it"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["nowhere"], "has no manifest"), ([], "DIR"), (["a", "--deep"], "--deep"), (["."], "no manifest")],
)
def test_what_the_user_can_correct(tmp_path, monkeypatch, capsys, argv, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", *argv]) == 2
    error = capsys.readouterr().err
    assert error.startswith("autochrome: error: ")
    assert said in error
    assert error.count("\n") == 1


def test_a_photo_that_crashes_spins_or_fills_has_no_thumbnail_and_all_others_have(
    tmp_path, photos, encoded, monkeypatch, capsys
):
    """Sources are read as carefully as `colorize` reads them: they may have been foreign files all along."""
    monkeypatch.setattr(report, "draw", hostile_viewer.broken_draw)
    monkeypatch.setattr(Limits, "of", lambda size, **_: Limits(memory=300_000_000, processor=1, wall=60))
    folder = Folder(tmp_path)
    pixels = photos["coffee"][:64, :64]
    file = encoded(pixels, "JPEG")
    words = ("die 11", "die 9", "spin", "fill", "exit 3", f"die-first 1 {tmp_path / 'died'}", "fine")
    for number, word in enumerate(words):
        folder.add(f"{number}.jpg", file + b"#" + word.encode(), file + b"%d" % number, [pixels])
    assert report.main([str(folder.write())]) == 0
    sheets = [Sheet(record) for record in folder.records]
    bad = {sheet.pairs[0].before for sheet in sheets[:5]}
    assert {id_ for id_, _ in listed(str(folder.output))} == set().union(*(sheet.ids for sheet in sheets)) - bad
    assert "5 thumbnails could not be made" in capsys.readouterr().out


def test_tensorflow_stays_away(folder):
    script = (
        "import sys; from pipelines import report; report.main(sys.argv[1:]); sys.exit('tensorflow' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", script, str(folder.write())]
    assert subprocess.run(command, capture_output=True, check=False, env=environment).returncode == 0
