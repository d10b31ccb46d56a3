"""Two runs of `colorize` into one folder, whole, one of them in a process of its own."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import messages
import pytest
import quick_pipeline
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from colorize_job import Job, digests, recorded

from pipelines import colorize
from pipelines.archive import lease, manifest, runs
from pipelines.archive.colorize_photos import ColorizePhotos
from pipelines.archive.finish import WriteManifest
from pipelines.archive.holder import Holder
from pipelines.archive.job import Colorize
from pipelines.archive.journal import Journal
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import RUNS_FILE, Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.results import Result
from pipelines.archive.runs import Run
from pipelines.files.sources import Source
from tfrecords.errors import UserError

PHOTOS = 24
RECORD = Record(name="a.jpg", uri="/scans/a.jpg", offset=None, fingerprint="7-1", status="skipped")
RECIPE = Recipe(model="m", model_digest="ab", settings=Settings(), settings_digest="cd")


@pytest.fixture(scope="module")
def scans(tmp_path_factory, grey_photos, encoded: Callable[..., bytes]) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for index in range(PHOTOS):
        (folder / f"{index}.jpg").write_bytes(encoded(grey_photos["coins"][index : index + 90, :120], "JPEG"))
    return folder


def test_a_second_run_is_refused_and_one_that_was_taken_over_stops(scans, saved_model_dir, tmp_path):
    model, out = f"--model={saved_model_dir}", tmp_path / "out"
    second = [f"--input={scans}", f"--output={out}", model, "--quality=80"]
    with Job(scans, out, model) as first:
        while not recorded(out):
            assert not first.ends
            time.sleep(0.01)
        os.killpg(first.process.pid, signal.SIGSTOP)
        os.waitpid(first.process.pid, os.WUNTRACED)  # until it has stopped: it may be writing a line
        stopped = time.monotonic()
        before = digests(out)
        held = rf"written by another run \(process {first.process.pid} on .*wait"
        with pytest.raises(UserError, match=held) as raised:
            colorize.main(second)
        assert "\n" not in str(raised.value)
        assert digests(out) == before, "a refused run leaves no trace"

        # As if it had been started on another machine and had not renewed its lease for long.
        holder = Holder.from_json((out / lease.FILE).read_bytes())
        (out / lease.FILE).write_bytes(replace(holder, process="another machine 1").to_json())
        os.utime(out / lease.FILE, (0, 0))
        assert colorize.main(second) == 0
        # The first run may have been stopped while it wrote a file under its name for the time of writing.
        whole = {name: digest for name, digest in digests(out).items() if not name.endswith(".part")}
        # Longer than a process works on without a look at its lease; a real one is taken over after 2 minutes.
        time.sleep(max(0.0, stopped + 11 - time.monotonic()))
        os.killpg(first.process.pid, signal.SIGCONT)
        code, stdout, stderr = first.finish()
    assert (code, stdout) == (1, "")
    (line,) = messages.lasting(stderr)
    assert "another run took" in line
    assert digests(out) == whole, "the files are those of the manifest"
    assert len(recorded(out)) == PHOTOS
    assert not (out / lease.FILE).exists()


def account(made: beam.PCollection[Result], run: Run) -> None:
    runs.register(made.pipeline, run)
    _ = made | "Record" >> beam.Map(lambda result: result.record) | WriteManifest(run.lease.folder)


def test_a_run_removes_only_journals_that_it_read_or_wrote(tmp_path):
    folder = str(tmp_path)
    ours = Lease(folder=folder)
    ours.take()
    for run in ("read", ours.run, "foreign"):
        journal = Journal(folder, run)
        journal.add(RECORD)
        journal.close()
    read, foreign = (
        next(path for path in (tmp_path / manifest.JOURNAL).iterdir() if path.name.startswith(f"{run}-"))
        for run in ("read", "foreign")
    )
    (tmp_path / "manifest" / "photos-00001-of-00002.jsonl").write_text("")
    with quick_pipeline.running() as pipeline:
        records = pipeline | "Read" >> beam.Create(
            [Source(uri=str(read), name=f"{manifest.JOURNAL}/{read.name}", size=1, fingerprint="")]
        )
        none = pipeline | "None" >> beam.Create([])
        made = pipeline | "Result" >> beam.Create([Result(RECORD, now=True)])
        account(made, Run(lease=ours, recipe=RECIPE, results=made, records=records, damaged=none, unfinished=none))
    assert list((tmp_path / manifest.JOURNAL).iterdir()) == [foreign]
    assert {path.name for path in (tmp_path / "manifest").glob("photos-*")} == {"photos-00000-of-00001.jsonl"}
    assert not (tmp_path / lease.FILE).exists()


@pytest.mark.parametrize("made", [[Result(RECORD, now=True)], []], ids=["shards", "report"])
def test_without_its_lease_a_run_writes_no_manifest_and_removes_no_journal(tmp_path, made):
    folder = str(tmp_path)
    ours, other = Lease(folder=folder), Lease(folder=folder)
    journal = Journal(folder, ours.run)
    journal.add(RECORD)
    journal.close()
    other.take()
    before = digests(tmp_path)
    pipeline = beam.Pipeline(runner=FnApiRunner())
    records, damaged, none = (pipeline | name >> beam.Create([]) for name in ("Records", "Damaged", "None"))
    photos = pipeline | "Result" >> beam.Create(made)
    account(photos, Run(lease=ours, recipe=RECIPE, results=photos, records=records, damaged=damaged, unfinished=none))
    with pytest.raises(Exception, match="another run took"):
        pipeline.run()
    assert digests(tmp_path) == before


def test_nothing_is_written_before_the_job_begins(scans, saved_model_dir, tmp_path):
    out = tmp_path / "out"
    job = Colorize(f"{scans}/1.jpg", ColorizePhotos(str(out), saved_model_dir))
    pipeline = beam.Pipeline(runner=FnApiRunner())
    _ = pipeline | job
    assert not out.exists()
    pipeline.run()
    assert (out / RUNS_FILE).exists()
    assert (out / "1.jpg").exists()
    assert not (out / lease.FILE).exists()
