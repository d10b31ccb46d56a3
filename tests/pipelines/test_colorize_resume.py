"""Runs of `colorize` into a folder that holds something already."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from colorize_job import digests, identities, recorded
from PIL import Image

from pipelines import colorize
from pipelines.archive.colorize_photos import ColorizePhotos
from pipelines.archive.job import Colorize
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import RUNS_FILE, Record, to_lines
from tfrecords.errors import UserError


@pytest.fixture
def scans(tmp_path, grey_photos, photos, encoded) -> Path:
    folder = tmp_path / "scans"
    (folder / "box").mkdir(parents=True)
    for index, (name, pixels) in enumerate(grey_photos.items()):
        (folder / "box" / f"{name}.jpg").write_bytes(encoded(pixels[:200, : 200 + index], "JPEG"))
    (folder / "cat.png").write_bytes(encoded(photos["chelsea"][:100], "PNG"))
    (folder / "letter.jpg").write_text("Dear archive,\n")
    return folder


@pytest.fixture
def run(scans, tmp_path, saved_model_dir) -> Callable[..., dict]:
    """Runs the job; gives what it did."""

    def runs(*flags: str) -> dict:
        output = tmp_path / "out"
        assert colorize.main([f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}", *flags]) == 0
        last = json.loads((output / "manifest" / "last_run.json").read_text())
        report = json.loads((output / "report.json").read_text())
        return {"made": last["made"], "found": last["found"], **report["outcomes"]}

    return runs


def test_again_nothing_is_made_but_what_changed_or_is_missing(run, scans, tmp_path, encoded, grey_photos):
    out = tmp_path / "out"
    assert run() == {"made": 5, "found": 0, "written": 4, "unreadable": 1}
    before, files = identities(out), digests(out)
    assert run() == {"made": 0, "found": 5, "written": 4, "unreadable": 1}
    assert (identities(out), digests(out)) == (before, files)
    (scans / "cat.png").write_bytes(encoded(grey_photos["moon"][:50], "PNG"))
    (out / "box" / "coins.jpg").unlink()
    (out / "box" / "moon.jpg").write_bytes(b"")
    (out / ".late.jpg.0123456789abcdef0123456789abcdef.part").write_bytes(b"half")
    (scans / "letter.jpg").unlink()
    assert run() == {"made": 3, "found": 1, "written": 4}
    assert (out / "cat.png").stat().st_ino != before["cat.png"][0]
    assert {name: found for name, found in digests(out).items() if name.startswith("box/")} == {
        name: digest for name, digest in files.items() if name.startswith("box/")
    }
    assert not list(out.glob(".*"))


def test_sources_that_were_only_copied_or_touched_are_not_made_again(run, scans, tmp_path, capsys):
    run()
    before = identities(tmp_path / "out")
    for path in scans.rglob("*.*"):
        copy = path.read_bytes()
        path.unlink()
        path.write_bytes(copy.replace(b"archive", b"Archive"))
        os.utime(path, (1, 1))
    # Only the letter has changed, and it has its size.
    assert run() == {"made": 1, "found": 4, "written": 4, "unreadable": 1}
    assert identities(tmp_path / "out") == before
    assert {record["fingerprint"].rpartition("-")[2] for record in recorded(tmp_path / "out").values()} == {
        "1000000000"
    }
    assert run("--retry=unreadable,crashed") == {"made": 1, "found": 4, "written": 4, "unreadable": 1}


def test_a_run_goes_on_from_records_in_the_other_format_and_converts_them(run, tmp_path, saved_model_dir, capsys):
    out = tmp_path / "out"
    run()
    files, records = digests(out), list(Ledger.of(str(out)).records())
    again = {"made": 0, "found": 5, "written": 4, "unreadable": 1}
    assert run("--manifest_format=parquet", "--direct_num_workers=2") == again
    assert "manifest: the records are JSON Lines; this run ends with Parquet (--manif" in capsys.readouterr().out
    assert [path.name for path in (out / "manifest").glob("photos-*")] == ["photos-00000-of-00001.parquet"]
    assert list(Ledger.of(str(out)).records()) == records
    photos = [f"--input={out / 'manifest'}", f"--output={tmp_path / 'two'}", f"--model={saved_model_dir}", "--dry_run"]
    assert colorize.main(photos) == 0
    assert "two: 5 inputs;" in capsys.readouterr().out
    # A kill while the records are converted leaves some in both formats, and no list of shards.
    (out / "manifest/photos-00000-of-00001.jsonl").write_bytes(to_lines(map(Record.to_json, records[:3])))
    (out / "manifest/shards.json").unlink()
    assert run() == again
    assert digests(out) == files


def test_other_settings_make_all_again_unless_it_is_to_be_kept(run, tmp_path):
    out = tmp_path / "out"
    plain = "--watermark=off"  # a watermark names the settings
    run(plain)
    first = identities(out)
    assert run(plain, "--on_color=skip", "--keep_existing") == {
        "made": 1,
        "found": 4,
        "kept": 4,
        "unreadable": 1,
    }
    assert identities(out) == first
    # Nobody touched the files, and that is found out by looking at them.
    assert run(plain) == {"made": 1, "found": 4, "written": 4, "unreadable": 1}
    assert identities(out) == first
    assert run(plain, "--on_color=skip") == {
        "made": 5,
        "found": 0,
        "written": 3,
        "skipped": 1,
        "unreadable": 1,
    }
    # Result again, the grey photos have the bytes that are there.
    assert identities(out) == {name: found for name, found in first.items() if name != "cat.png"}
    assert len(json.loads((out / RUNS_FILE).read_text())["runs"]) == 4


def warnings_of(out: Path, name: str) -> list[str]:
    return recorded(out)[name]["warnings"]


def photos_in(out: Path) -> set[str]:
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and "manifest" not in path.parts}
    return found - {"report.json", "rejected.jsonl"}


def test_what_a_record_no_longer_names_is_removed_or_told(run, scans, tmp_path):
    out = tmp_path / "out"
    run()
    cat = (scans / "cat.png").read_bytes()
    assert run("--on_color=skip")["skipped"] == 1
    box = {f"box/{name}.jpg" for name in ("camera", "coins", "moon")}
    assert photos_in(out) == box
    assert warnings_of(out, "cat.png") == []
    # Another format has other names.
    run("--format=png")
    assert photos_in(out) == {f"{name}.png" for name in box} | {"cat.png"}
    # The source has become unreadable: what was made of it may be all there is.
    (scans / "cat.png").write_text("gone")
    assert run("--format=png")["unreadable"] == 2
    assert "cat.png" in photos_in(out)
    assert warnings_of(out, "cat.png") == ["cat.png is still in the output; this run did not make it"]
    (scans / "cat.png").write_bytes(cat)
    run()
    assert photos_in(out) == box | {"cat.png"}
    assert recorded(out)["cat.png"]["status"] == "written"


def test_a_skipped_photo_s_file_that_nobody_recorded_stays_and_is_told(run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "cat.png").write_bytes(b"whose is it?")
    run("--on_color=skip")
    assert (out / "cat.png").read_bytes() == b"whose is it?"
    assert warnings_of(out, "cat.png") == ["cat.png is still in the output; this run did not make it"]


def test_a_trial_takes_some_and_the_whole_run_goes_on(run, tmp_path):
    out = tmp_path / "out"
    assert run("--limit=2") == {"made": 2, "found": 0, "written": 2}
    assert sorted(recorded(out)) == ["box/camera.jpg", "box/coins.jpg"]
    assert run("--sample=1")["made"] <= 1
    found = len(recorded(out))
    assert run() == {"made": 5 - found, "found": found, "written": 4, "unreadable": 1}
    assert run("--limit=1") == {"made": 0, "found": 5, "written": 4, "unreadable": 1}
    # A trial of other settings forgets nothing, so that what it left alone may be replaced later.
    before = recorded(out)
    assert run("--limit=1", "--quality=80") == {"made": 1, "found": 4, "written": 4, "unreadable": 1}
    assert [name for name, record in recorded(out).items() if record != before[name]] == ["box/camera.jpg"]
    assert run("--quality=80") == {"made": 4, "found": 1, "written": 4, "unreadable": 1}


def test_a_dry_run_tells_and_writes_nothing(run, scans, tmp_path, saved_model_dir, capsys):
    flags = [f"--input={scans}", f"--output={tmp_path / 'out'}", f"--model={saved_model_dir}", "--dry_run"]
    assert colorize.main(flags) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["make\tbox/camera.jpg", "make\tbox/coins.jpg"]
    assert said[-1].endswith("5 inputs; make: 5")
    assert not (tmp_path / "out").exists()
    run("--limit=2")
    before = digests(tmp_path / "out")
    capsys.readouterr()
    assert colorize.main(flags) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("5 inputs; done before: written: 2, make: 3")
    assert digests(tmp_path / "out") == before


def test_threads_and_processes_give_the_same_bytes(run, scans, tmp_path, saved_model_dir):
    run()
    other = tmp_path / "other"
    flags = [f"--input={scans}", f"--output={other}", f"--model={saved_model_dir}", "--direct_num_workers=1"]
    assert colorize.main(flags) == 0
    assert digests(other) == digests(tmp_path / "out")


def test_a_model_that_is_replaced_after_the_launch_ends_the_job_and_makes_no_record(scans, tmp_path, saved_model_dir):
    model = Path(shutil.copytree(saved_model_dir, tmp_path / "model"))
    out = tmp_path / "out"
    pipeline = beam.Pipeline(runner=FnApiRunner())
    _ = pipeline | Colorize(str(scans), ColorizePhotos(str(out), str(model)))
    (model / "variables" / "more").write_bytes(b"another model")
    with pytest.raises(UserError, match="changed while the job ran"):
        pipeline.run()
    assert not recorded(out)
    assert not list(out.rglob("*.jpg"))


def test_one_photo_becomes_one_file(scans, tmp_path, saved_model_dir, capsys):
    target = tmp_path / "coins-colour.png"
    flags = [f"--input={scans / 'box' / 'coins.jpg'}", f"--output={target}", f"--model={saved_model_dir}"]
    assert colorize.main([*flags, "--dry_run"]) == 0
    assert not target.exists()
    assert colorize.main(flags) == 0
    with Image.open(target) as image:
        assert (image.format, image.size) == ("PNG", (201, 200))
        assert np.ptp(np.asarray(image).astype(int), axis=2).max() > 5
    whole = target.read_bytes()
    with pytest.raises(UserError, match="exists already; choose another name"):
        colorize.main(flags)
    assert colorize.main([*flags, "--keep_existing"]) == 0
    assert target.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coins-colour.png", "scans"]
    capsys.readouterr()
    letter = tmp_path / "letter-colour.jpg"
    assert colorize.main([f"--input={scans / 'letter.jpg'}", f"--output={letter}", flags[2]]) == 1
    assert "rejected, unreadable" in capsys.readouterr().out
    assert not letter.exists()


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        (["--limit=1", "--sample=1"], "give one of them"),
        (["--on_color=paint"], "must be recolor, skip or copy, not paint"),
        (["--limit=0"], "1 or more, not 0"),
        (["--unknown"], "unknown flag --unknown"),
    ],
)
def test_wrong_flags_end_before_anything_is_written(scans, tmp_path, saved_model_dir, flags, match):
    with pytest.raises(UserError, match=match):
        colorize.main([f"--input={scans}", f"--output={tmp_path / 'out'}", f"--model={saved_model_dir}", *flags])
    assert not (tmp_path / "out").exists()


def test_a_photo_is_never_written_over_itself(scans, saved_model_dir):
    photo = scans / "cat.png"
    for output in (photo, scans / "box" / ".." / "cat.png"):
        with pytest.raises(UserError, match="is the photo itself"):
            colorize.main([f"--input={photo}", f"--output={output}", f"--model={saved_model_dir}"])
    with pytest.raises(UserError, match="does not fit"):
        colorize.main(
            [f"--input={photo}", f"--output={scans}/b.jpg", f"--model={saved_model_dir}", "--format=png"],
        )


def test_folders_side_by_side_do_not_overlap(tmp_path, saved_model_dir, encoded, grey_photos):
    for name in ("scans", "scans 2"):
        (tmp_path / name).mkdir()
    (tmp_path / "scans" / "coins.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    flags = [f"--input={tmp_path / 'scans'}", f"--output={tmp_path / 'scans 2'}", f"--model={saved_model_dir}"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    assert (tmp_path / "scans 2" / "coins.png").exists()
