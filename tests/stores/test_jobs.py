"""The same photos from a folder, a text list, a Parquet list and a store, to a disk and to a store: the same files."""

import tarfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from colorize_job import Job as ColorizeJob
from prepare_job import Job
from prepare_job import Job as PrepareJob
from servers import Store

from pipelines import cli
from pipelines.archive.ledger import Ledger
from tfrecords.description import Description

Files = dict[str, bytes]


@pytest.fixture(scope="session")
def scans(tmp_path_factory, grey_photos, encoded) -> Path:
    """Photos in subfolders, one of them broken, and two in a tar."""
    root = tmp_path_factory.mktemp("stores") / "scans"
    (root / "box 1").mkdir(parents=True)
    for name, pixels in grey_photos.items():
        (root / "box 1" / f"{name} ü.jpg").write_bytes(encoded(pixels[:90, :120], "JPEG"))
    (root / "moon.png").write_bytes(encoded(grey_photos["moon"][:70, :60], "PNG"))
    (root / "broken.jpg").write_text("Dear archive,\n")
    with tarfile.open(root / "box.tar", "w") as tar:
        for path in sorted((root / "box 1").iterdir())[:2]:
            tar.add(path, path.name)
    return root


def colorized(saved_model_dir: str, *flags: str) -> None:
    assert cli.main(["colorize", f"--model={saved_model_dir}", "--direct_num_workers=1", *flags]) == 0


def told(folder: str, state: str = "") -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What the records say that must not depend on where photos are."""
    return sorted(
        (one.name, one.status, one.sha256, tuple(output.sha256 for output in one.outputs))
        for one in Ledger.of(folder, state).records()
    )


def files_of(folder: Path) -> Files:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return photos_of(found)


def photos_of(found: Files) -> Files:
    return {name: data for name, data in found.items() if name.endswith((".jpg", ".png"))}


@pytest.fixture(scope="session")
def expected(scans, saved_model_dir, tmp_path_factory) -> tuple[Files, list]:
    """Files and records of a run from disk to disk."""
    output = tmp_path_factory.mktemp("expected") / "colour"
    colorized(saved_model_dir, f"--input={scans}", f"--output={output}")
    made = files_of(output), told(str(output))
    assert len(made[0]) == 6
    return made


@pytest.fixture(scope="session")
def slides(tmp_path_factory, photos, encoded) -> Path:
    """Photos in colour, and one that is not."""
    root = tmp_path_factory.mktemp("slides") / "slides"
    root.mkdir()
    for name, pixels in photos.items():
        (root / f"{name} ü.jpg").write_bytes(encoded(pixels[::4, ::4], "JPEG"))
        (root / f"{name}.png").write_bytes(encoded(pixels[::5, ::5], "PNG"))
    (root / "grey.png").write_bytes(encoded(photos["coffee"][::4, ::4, 0], "PNG"))
    return root


def prepared(*flags: str) -> None:
    settings = ["--size=32", "--num_shards=4", "--validation_percent=30", "--direct_num_workers=1"]
    assert cli.main(["prepare", *settings, *flags]) == 0


def records_of(found: Files) -> tuple[Files, dict[str, int]]:
    """The records, and the outcomes; what else the description has of the sources depends on where they are."""
    outcomes = Description.from_json(found["dataset.json"].decode()).outcomes
    return {name: data for name, data in found.items() if name.endswith(".tfrecord")}, outcomes


@pytest.fixture(scope="session")
def expected_records(slides, tmp_path_factory) -> tuple[Files, dict[str, int]]:
    """Records and outcomes of a run from disk to disk."""
    output = tmp_path_factory.mktemp("expected") / "records"
    prepared(f"--input={slides}", f"--output={output}")
    made = records_of({path.name: path.read_bytes() for path in output.iterdir() if path.is_file()})
    assert len(made[0]) > 3
    return made


def listed(scans: Path) -> list[str]:
    return [str(path.relative_to(scans)) for path in scans.rglob("*") if path.is_file()]


def test_a_text_list_gives_the_files_of_a_folder(scans, saved_model_dir, tmp_path, expected):
    (tmp_path / "list.txt").write_text("\n".join(listed(scans)))
    flags = f"--input={tmp_path}/list.txt", f"--root={scans}", f"--output={tmp_path}/colour"
    colorized(saved_model_dir, *flags)
    assert (files_of(tmp_path / "colour"), told(f"{tmp_path}/colour")) == expected


def test_from_a_store_to_a_store_where_requests_fail_the_files_are_those_of_a_disk(
    usual: Store, scans, saved_model_dir, expected, capsys
):
    source, output, state = usual.upload(scans, "scans"), usual.uri("colour"), usual.uri("state")
    flags = [f"--input={source}", f"--output={output}", f"--state={state}"]
    colorized(saved_model_dir, *flags, "--limit=3")
    first = usual.files("colour")
    colorized(saved_model_dir, *flags)
    assert (photos_of(usual.files("colour")), told(output, state)) == expected
    assert first.items() <= usual.files("colour").items()
    assert sum(usual.faults.injected.values()) > 5
    left = set(usual.files("state"))
    assert {"report.json", "rejected.jsonl", "manifest/runs.json"} <= left
    assert not [name for name in left if "journal" in name or "lease" in name or "probe" in name]
    capsys.readouterr()
    assert cli.main(["report", output, f"--state={state}"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith(usual.server.copies)
    assert "index.html" in last
    types = usual.types("state")
    assert types["index.html"] == "text/html; charset=utf-8"
    assert "application/octet-stream" not in types.values()
    # A photo that somebody changed stays.
    usual.put("colour/moon.png", b"retouched")
    colorized(saved_model_dir, *flags, "--quality=80")
    assert usual.files("colour")["moon.png"] == b"retouched"


def test_a_list_in_a_store_gives_the_files_of_a_folder(usual: Store, scans, saved_model_dir, tmp_path, expected):
    usual.upload(scans, "scans")
    pq.write_table(pa.table({"path": listed(scans)}), tmp_path / "list.parquet")
    usual.put("list.parquet", (tmp_path / "list.parquet").read_bytes())
    flags = f"--input={usual.uri('list.parquet')}", f"--root={usual.uri('scans')}", f"--output={tmp_path}/colour"
    colorized(saved_model_dir, *flags)
    assert (files_of(tmp_path / "colour"), told(f"{tmp_path}/colour")) == expected


def test_flags_of_a_job_reach_its_workers(calm: Store, scans, saved_model_dir, monkeypatch, expected):
    calm.upload(scans / "box 1", "in/box 1")
    for name in calm.server.environment(calm.relay.address):
        if "ENDPOINT" in name or "CONNECTION" in name:
            monkeypatch.delenv(name)
    calm.server.forget()
    flags = calm.server.flags(calm.relay.address)
    more = ["--direct_num_workers=2", "--direct_running_mode=multi_processing", *flags]
    colour = calm.uri("colour")
    argv = ["colorize", f"--model={saved_model_dir}", f"--input={calm.uri('in')}", f"--output={colour}", *more]
    assert cli.main(argv) == 0
    made = photos_of(calm.files("colour"))
    assert len(made) == 3
    assert made.items() <= expected[0].items()
    for header, value in calm.server.headers_of_flags.items():
        assert {headers.get(header) for headers in calm.relay.headers} == {value}


def killed(store: Store, job: Job, uploads: int) -> None:
    """Kills all processes of a job when it has written a number of objects, in the middle of the next request."""
    with job:
        store.faults.gate.shut_after(uploads)
        while not store.faults.gate.is_held():
            assert not job.ends, job.finish()
            time.sleep(0.05)
    store.faults.gate.open()


def finished(job: Job) -> None:
    with job:
        code, _, errors = job.finish()
    assert code == 0, errors


@pytest.mark.chaos
@pytest.mark.parametrize("uploads", [1, 4, 8, 12])
def test_colorize_that_is_killed_between_stores_ends_with_the_bytes_of_a_disk(
    usual: Store, scans, saved_model_dir, expected, uploads
):
    source, colour = usual.upload(scans, "scans"), usual.uri("colour")
    flags = (source, colour, f"--model={saved_model_dir}", "--direct_num_workers=1")
    killed(usual, ColorizeJob(*flags), uploads)
    finished(ColorizeJob(*flags))
    found = usual.files("colour")
    assert (photos_of(found), told(colour)) == expected
    assert not [name for name in found if "journal" in name or "lease" in name or "probe" in name]


@pytest.mark.chaos
@pytest.mark.parametrize("uploads", [1, 3, 6])
def test_prepare_that_is_killed_between_stores_ends_with_the_bytes_of_a_disk(
    usual: Store, slides, expected_records, uploads
):
    source, records = usual.upload(slides, "slides"), usual.uri("records")
    flags = (source, records, "--size=32", "--num_shards=4", "--validation_percent=30")
    killed(usual, PrepareJob(*flags), uploads)
    finished(PrepareJob(*flags))
    assert records_of(usual.files("records")) == expected_records


def test_prepare_from_a_store_to_a_store_gives_the_records_of_a_disk(usual: Store, slides, expected_records):
    prepared(f"--input={usual.upload(slides, 'slides')}", f"--output={usual.uri('records')}")
    assert records_of(usual.files("records")) == expected_records


@pytest.mark.chaos
def test_prepare_from_lists_gives_the_records_of_a_folder(slides, tmp_path, expected_records):
    (tmp_path / "list.txt").write_text("\n".join(listed(slides)))
    pq.write_table(pa.table({"path": listed(slides)}), tmp_path / "list.parquet")
    for name in ("list.txt", "list.parquet"):
        output = tmp_path / name.replace(".", "-")
        prepared(f"--input={tmp_path / name}", f"--root={slides}", f"--output={output}")
        found = {path.name: path.read_bytes() for path in output.iterdir() if path.is_file()}
        assert records_of(found) == expected_records
