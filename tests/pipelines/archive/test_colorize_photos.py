"""The transforms in a pipeline of one's own: what the command promises holds there as well."""

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
import quick_pipeline
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from colorize_job import digests

from pipelines import ColorizePhotos, ColorizeSettings, FindPhotos, Record, Source, WriteManifest, colorize
from pipelines.archive import lease
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import LAST_RUN_FILE
from tfrecords.errors import UserError


@pytest.fixture
def scans(tmp_path: Path, grey_photos, encoded: Callable[..., bytes]) -> Path:
    folder = tmp_path / "scans"
    (folder / "box").mkdir(parents=True)
    for index, name in enumerate(("a.jpg", "b.jpg", "box/c.jpg", "box/d.bin")):
        (folder / name).write_bytes(encoded(grey_photos["coins"][index : index + 60, :80], "JPEG"))
    (folder / "box" / "d.bin").write_bytes(b"no photo")
    return folder


def mine(photo: Source) -> bool:
    return photo.name != "b.jpg"


def run(photos: beam.PTransform, out: Path, model: str, **fields: object) -> None:
    with quick_pipeline.running() as pipeline:
        colour = pipeline | photos | ColorizePhotos(str(out), model, **fields)
        _ = colour | "Pass on" >> beam.Map(lambda record: record) | WriteManifest(str(out))


def last_run(out: Path) -> dict[str, int]:
    return json.loads((out / LAST_RUN_FILE).read_text())


def records(out: Path) -> list[Record]:
    return list(Ledger.of(str(out)).records())


def test_a_pipeline_with_a_filter_does_what_the_command_does(scans, saved_model_dir, tmp_path):
    out, other = tmp_path / "out", tmp_path / "command"
    photos = FindPhotos(str(scans)) | beam.Filter(mine)
    run(photos, out, saved_model_dir)
    assert last_run(out)["made"] == 3
    whole = digests(out)
    assert {record.name: record.status for record in records(out)} == {
        "a.jpg": "written",
        "box/c.jpg": "written",
        "box/d.bin": "rejected",
    }
    assert not (out / lease.FILE).exists()
    run(FindPhotos(str(scans)) | beam.Filter(mine), out, saved_model_dir)
    assert (last_run(out)["made"], last_run(out)["found"]) == (0, 3)
    assert digests(out) == whole
    (scans / "b.jpg").unlink()
    assert colorize.main([f"--input={scans}", f"--output={other}", f"--model={saved_model_dir}"]) == 0
    assert digests(other) == whole


def test_more_photos_are_added_and_the_others_found(scans, saved_model_dir, tmp_path):
    out = tmp_path / "out"
    run(FindPhotos(str(scans)) | beam.Filter(mine), out, saved_model_dir)
    run(FindPhotos(str(scans)), out, saved_model_dir)
    assert (last_run(out)["made"], last_run(out)["found"]) == (1, 3)
    assert len(records(out)) == 4


def test_photos_left_out_once_are_recognised_when_they_come_back(scans, saved_model_dir, tmp_path):
    out = tmp_path / "out"
    run(FindPhotos(str(scans)), out, saved_model_dir)
    whole = digests(out)
    run(FindPhotos(str(scans)) | beam.Filter(mine), out, saved_model_dir)
    assert len(records(out)) == 3
    assert (out / "b.jpg").exists(), "nobody removes the file of a photo that was not given"
    run(FindPhotos(str(scans)), out, saved_model_dir)
    assert digests(out) == whole


def test_photos_of_one_name_from_anywhere_get_names_of_their_own(scans, saved_model_dir, tmp_path):
    out = tmp_path / "out"

    def source(path: str) -> Source:
        stat = (scans / path).stat()
        return Source(
            uri=str(scans / path), name="a.jpg", size=stat.st_size, fingerprint=f"{stat.st_size}-{stat.st_mtime_ns}"
        )

    three = [source("a.jpg"), source("b.jpg"), source("a.jpg")]  # one of them twice
    run(beam.Create(three), out, saved_model_dir)
    assert {path.name for path in out.glob("*.jpg")} == {"a.jpg", "a~2.jpg"}
    assert sorted(record.uri for record in records(out)) == [str(scans / "a.jpg"), str(scans / "b.jpg")]
    whole = digests(out)
    run(beam.Create(three[::-1]), out, saved_model_dir)
    assert last_run(out)["made"] == 0
    assert digests(out) == whole


@pytest.mark.parametrize("output", ["scans/colour", "scans", "."])
def test_an_output_that_overlaps_with_the_photos_is_refused_before_the_job(scans, saved_model_dir, tmp_path, output):
    photos = FindPhotos(str(scans)) | beam.Filter(mine) | beam.Reshuffle()
    before = digests(tmp_path)
    with pytest.raises(UserError, match="overlap"):
        _ = beam.Pipeline(runner=FnApiRunner()) | photos | ColorizePhotos(str(tmp_path / output), saved_model_dir)
    assert digests(tmp_path) == before


def test_a_photo_in_the_output_stops_the_job_and_stays_as_it_is(scans, saved_model_dir):
    photo = Source(uri=str(scans / "a.jpg"), name="a.jpg", size=1, fingerprint="1-1")
    before = (scans / "a.jpg").read_bytes()
    with pytest.raises(Exception, match="lies in the output"):
        run(beam.Create([photo]), scans, saved_model_dir)
    assert (scans / "a.jpg").read_bytes() == before


def test_records_that_are_dropped_on_the_way_stop_the_job_before_the_manifest(scans, saved_model_dir, tmp_path):
    out = tmp_path / "out"
    run(FindPhotos(str(scans)), out, saved_model_dir)
    before = digests(out)
    pipeline = beam.Pipeline(runner=FnApiRunner())
    colour = pipeline | FindPhotos(str(scans)) | ColorizePhotos(str(out), saved_model_dir)
    _ = colour | beam.Filter(lambda record: record.name != "a.jpg") | WriteManifest(str(out))
    with pytest.raises(Exception, match="got 3 records, but ColorizePhotos made 4"):
        pipeline.run()
    after = digests(out)
    assert {name: after[name] for name in before} == before
    # The folder is free again at once, in this very process, and nothing was lost.
    run(FindPhotos(str(scans)), out, saved_model_dir)
    assert last_run(out)["made"] == 0
    assert digests(out) == before


def test_records_go_to_the_folder_that_colorizing_named(scans, saved_model_dir, tmp_path):
    out, state = tmp_path / "out", tmp_path / "state"
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        colour = pipeline | FindPhotos(str(scans)) | ColorizePhotos(str(out), saved_model_dir, state=str(state))
        with pytest.raises(UserError, match="no ColorizePhotos of this pipeline has output or state"):
            _ = colour | "Elsewhere" >> WriteManifest(str(out))
        _ = colour | WriteManifest(str(state))
    assert not (out / "manifest").exists()
    assert (state / LAST_RUN_FILE).exists()


def test_two_runs_of_a_pipeline_do_not_share_a_folder(scans, saved_model_dir, tmp_path):
    photos = beam.Pipeline(runner=FnApiRunner()) | FindPhotos(str(scans))
    _ = photos | ColorizePhotos(str(tmp_path / "out"), saved_model_dir)
    with pytest.raises(UserError, match="two ColorizePhotos write into"):
        _ = photos | "Again" >> ColorizePhotos(f"{tmp_path}/out/", saved_model_dir)


def test_settings_and_models_that_do_not_exist_are_refused_before_the_job(scans, saved_model_dir, tmp_path):
    photos = beam.Pipeline(runner=FnApiRunner()) | FindPhotos(str(scans))
    with pytest.raises(UserError, match="format 'gif' is unknown; choose one of keep, jpeg, png, tiff, webp"):
        ColorizeSettings(format="gif")
    with pytest.raises(UserError, match="quality 0 is out of range"):
        ColorizeSettings(quality=0)
    with pytest.raises(UserError, match="does not exist"):
        _ = photos | ColorizePhotos(str(tmp_path / "out"), str(tmp_path / "no model"))
    with pytest.raises(UserError, match="does not exist; name a folder"):
        _ = photos.pipeline | "Nothing" >> FindPhotos(str(tmp_path / "nowhere"))


def test_without_a_manifest_the_next_run_finds_what_is_done(scans, saved_model_dir, tmp_path):
    out = tmp_path / "out"
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | FindPhotos(str(scans)) | ColorizePhotos(str(out), saved_model_dir)
    run(FindPhotos(str(scans)), out, saved_model_dir)
    assert (last_run(out)["made"], last_run(out)["found"]) == (0, 4)


def test_beam_warns_of_nothing(scans, saved_model_dir, tmp_path, caplog):
    with warnings.catch_warnings(record=True) as said, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            photos = pipeline | FindPhotos(str(scans)) | beam.Filter(mine)
            colour = photos | ColorizePhotos(str(tmp_path / "out"), saved_model_dir)
            _ = colour | WriteManifest(str(tmp_path / "out"))
    assert [one.message for one in said if "apache_beam" in one.filename or "pipelines" in one.filename] == []
    assert [record.message for record in caplog.records] == []


def test_a_local_run_makes_large_photos_first(tmp_path, grey_photos, encoded: Callable[..., bytes], saved_model_dir):
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    for index, width in enumerate((40, 200, 20, 120, 80, 160)):
        (scans / f"{index}.png").write_bytes(encoded(grey_photos["coins"][:width, :width], "PNG"))
    run(FindPhotos(str(scans)), out, saved_model_dir, threads=1)
    by_size = sorted(scans.iterdir(), key=lambda photo: -photo.stat().st_size)
    made_at = [(out / photo.name).stat().st_mtime_ns for photo in by_size]
    # A photo is written while the next one is opened.
    assert all(before <= after for before, after in zip(made_at, made_at[2:], strict=False))
    assert made_at[0] < made_at[-1]
