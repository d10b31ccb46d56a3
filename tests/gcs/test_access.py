"""Rights and credentials that are missing at the launch, or lost while a job runs, and buckets that do not answer."""

import json
import re
import socket
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.retry import retry_base
from photo_files import write_crops
from prepare_job import digests

from model import google_cloud
from pipelines import cli, notices
from pipelines.errors import Rejected
from pipelines.files import patience, sources, storage
from tfrecords.description import FILE_NAME
from tfrecords.errors import DeniedError, OutageError

FLAGS = ("--size=32", "--num_shards=2", "--validation_percent=20", "--direct_num_workers=1")
READS = r"GET /download.*/o/photos"
LISTINGS = r"GET /storage/v1/b/photos/o\?"
# On a slow machine it is told of before the first answer.
UNANSWERED = r"autochrome: gs://photos does not answer( \(.*503.*\))?"


pytestmark = pytest.mark.usefixtures("brief")


@pytest.fixture
def told_early(monkeypatch):
    """Tells of an outage after a hundredth of the time."""
    monkeypatch.setattr(patience, "TOLD_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(patience, "_LOOK_EVERY_SECONDS", 0.01)


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos, encoded) -> Path:
    return write_crops(tmp_path_factory.mktemp("photos"), photos, encoded, 4)


@pytest.fixture(scope="module")
def undisturbed(tree, tmp_path_factory) -> dict[str, str]:
    return prepared(str(tree), tmp_path_factory.mktemp("undisturbed"))


def prepared(source: str, output: Path) -> dict[str, str]:
    """Shards by name; fingerprints of sources, which accounts hold, differ between disk and bucket."""
    assert cli.main(["prepare", f"--input={source}", f"--output={output}", *FLAGS]) == 0
    return {name: digest for name, digest in digests(output).items() if name.endswith(".tfrecord")}


def outcomes(output: Path) -> dict[str, int]:
    return json.loads((output / FILE_NAME).read_text())["outcomes"]


def error_of(capsys) -> str:
    """The one line of standard error beside progress and notices."""
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if line.startswith("autochrome: error: ")]
    return line


@pytest.mark.parametrize("status", [401, 403])
def test_rights_that_are_lost_stop_the_job_and_reject_no_photo(calm_cloud, tree, undisturbed, tmp_path, capsys, status):
    uri = calm_cloud.upload(tree, "photos")
    calm_cloud.faults.refuse(READS, status, first=5)
    assert cli.main(["prepare", f"--input={uri}", f"--output={tmp_path}", *FLAGS]) == 1
    assert re.match(r"autochrome: error: the job failed: gs://photos/photos/\S+: ", error_of(capsys))
    assert not (tmp_path / FILE_NAME).exists()
    assert "unreadable" not in "".join(path.read_text() for path in tmp_path.glob("parts/*.tfrecord.json"))
    calm_cloud.faults.allow()
    assert prepared(uri, tmp_path) == undisturbed
    assert "unreadable" not in outcomes(tmp_path)


def test_credentials_that_are_lost_stop_colorize_and_record_nothing(
    calm_cloud, accounts, tree, saved_model_dir, tmp_path, capsys
):
    uri = calm_cloud.upload(tree, "photos")
    accounts.log_in()
    command = ["colorize", f"--input={uri}", f"--output={tmp_path}/colour", f"--model={saved_model_dir}"]
    google_cloud.check("--input", uri)
    calm_cloud.faults.token = 400
    # A client that is refused asks for another token.
    calm_cloud.faults.refuse(READS, 401, first=4)
    assert cli.main([*command, "--direct_num_workers=1"]) == 1
    assert "invalid_grant" in error_of(capsys)
    recorded = "".join(path.read_text() for path in (tmp_path / "colour").rglob("*.jsonl"))
    assert "unreadable" not in recorded
    calm_cloud.faults.allow()
    calm_cloud.faults.token = 200
    assert cli.main([*command, "--direct_num_workers=1"]) == 0
    assert json.loads((tmp_path / "colour" / "report.json").read_text())["outcomes"] == {"written": 16}


def test_rights_that_come_back_are_waited_for(calm_cloud, tree, undisturbed, tmp_path):
    uri = calm_cloud.upload(tree, "photos")
    calm_cloud.faults.refuse(READS, 403, first=5, times=6)
    # The command and its transform look at the input with three listings each, and at a launch nothing is waited for.
    calm_cloud.faults.refuse(LISTINGS, 403, first=6, times=2)
    assert prepared(uri, tmp_path) == undisturbed


def test_an_object_with_rights_of_its_own_is_unreadable_and_the_job_goes_on(calm_cloud, tree, tmp_path):
    uri = calm_cloud.upload(tree, "photos")
    calm_cloud.faults.refuse(READS + "%2Fcoffee%2F[12]", 403)
    prepared(uri, tmp_path)
    assert outcomes(tmp_path)["unreadable"] == 2
    rejected = (tmp_path / "rejected.jsonl").read_text()
    assert "coffee/1.jpg" in rejected
    assert "403" in rejected


def test_more_than_a_small_share_of_such_objects_stops_the_job(calm_cloud, tree, tmp_path, capsys):
    uri = calm_cloud.upload(tree, "photos")
    calm_cloud.faults.refuse(READS + "%2F(coffee|rocket)", 403)
    assert cli.main(["prepare", f"--input={uri}", f"--output={tmp_path}", *FLAGS]) == 1
    # Another photo may be refused while the sixth is judged.
    assert re.search(r": access to [6-8] of \d+ files is denied; ", error_of(capsys))
    assert not (tmp_path / FILE_NAME).exists()


def test_an_object_that_is_gone_is_unreadable_and_a_bucket_that_is_gone_is_not(calm_cloud, tree):
    uri = calm_cloud.upload(tree, "photos")
    one, other, *_ = sources.find(uri)
    storage.remove([one.uri])
    with pytest.raises(Rejected, match="404") as raised:
        one.read()
    assert raised.value.reason == "unreadable"
    assert other.read()
    calm_cloud.faults.refuse("GET ", 404)
    with pytest.raises(OutageError, match="no other object of gs://photos can be read"):
        other.read()


def test_a_tar_that_is_gone_is_a_fault_and_a_bucket_that_is_forbidden_is_not(calm_cloud, tree, tmp_path):
    folder = tmp_path / "tars"
    folder.mkdir()
    with tarfile.open(folder / "box.tar", "w") as tar:
        tar.add(tree / "coffee", "coffee")
    (folder / "photo.jpg").write_bytes(b"photo")
    uri = calm_cloud.upload(folder, "tars")
    box, photo = sources.find(uri)
    members = list(sources.members(box, uri))
    assert len(members) == 4
    assert photo.read()
    calm_cloud.faults.refuse("GET ", 403)
    with pytest.raises(DeniedError):
        list(sources.members(box, uri))
    with pytest.raises(DeniedError):
        members[0].read()
    calm_cloud.faults.allow()
    storage.remove([box.uri])
    (gone,) = sources.members(box, uri)
    assert "no such object" in gone.fault
    with pytest.raises(Rejected):
        members[0].read()


def test_a_listing_that_is_refused_half_way_stops_and_loses_no_photo(calm_cloud, tree):
    uri = calm_cloud.upload(tree, "photos")
    assert len(list(sources.find(uri))) == 16
    for status, error in ((403, DeniedError), (401, DeniedError), (503, OutageError)):
        calm_cloud.faults.allow()
        calm_cloud.faults.refuse(LISTINGS, status, first=3)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(patience, "BUCKET_SECONDS", 0.6)
            with pytest.raises(error, match=f"^{uri}"):
                list(sources.find(uri))


@pytest.mark.usefixtures("told_early")
def test_an_unreachable_bucket_is_told_of_early_and_waited_for(calm_cloud, tree, undisturbed, tmp_path, capsys):
    uri = calm_cloud.upload(tree, "photos")
    calm_cloud.faults.refuse(READS, 503, first=4, times=8)
    assert prepared(uri, tmp_path) == undisturbed
    err = capsys.readouterr().err
    assert re.search(f"{UNANSWERED}; trying for 5 minutes\n", err)
    assert "autochrome: gs://photos works again\n" in err


@pytest.mark.usefixtures("told_early")
def test_an_unreachable_bucket_at_the_launch_is_one_line_and_no_traceback(calm_cloud, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(patience, "BUCKET_SECONDS", 2)
    # A first pause that is short, and a second that is too long, would end it before it is told of.
    monkeypatch.setattr(retry_base, "random", SimpleNamespace(uniform=lambda low, high: high))
    calm_cloud.faults.refuse("", 503)
    assert cli.main(["prepare", "--input=gs://photos/in", f"--output={tmp_path}/records", *FLAGS]) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2
    assert re.fullmatch(f"{UNANSWERED}; trying for 2 seconds", err[0])
    assert err[1].startswith("autochrome: error: gs://photos/in: Cloud Storage failed for ")
    assert not (tmp_path / "records").exists()


@pytest.mark.usefixtures("told_early")
def test_a_bucket_that_takes_requests_and_answers_none_is_told_of_as_early(monkeypatch, capsys):
    monkeypatch.setattr(patience, "BUCKET_SECONDS", 3)
    told, tell = threading.Event(), notices.tell

    def telling(*what: Any) -> bool:
        is_told = tell(*what)
        told.set()
        return is_told

    monkeypatch.setattr(notices, "tell", telling)
    with notices.on_terminal(), socket.create_server(("localhost", 0)) as silent:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://localhost:{silent.getsockname()[1]}")
        google_cloud.client.cache_clear()
        failed = []

        def look() -> None:
            try:
                storage.read("gs://photos/a.jpg")
            except OutageError as error:
                failed.append(error)

        reader = threading.Thread(target=look)
        reader.start()
        taken, _ = silent.accept()
        assert told.wait(60)
        taken.close()
    reader.join()
    google_cloud.client.cache_clear()
    assert capsys.readouterr().err == "autochrome: gs://photos does not answer; trying for 3 seconds\n"
    assert len(failed) == 1


def test_a_public_bucket_needs_no_credentials(calm_cloud, accounts, tree, undisturbed, tmp_path):
    uri = calm_cloud.upload(tree, "photos")
    accounts.log_out()
    assert prepared(uri, tmp_path / "records") == undisturbed


def test_a_service_account_reads_what_is_not_public(calm_cloud, accounts, tree, undisturbed, tmp_path):
    uri = calm_cloud.upload(tree, "photos")
    accounts.log_in()
    calm_cloud.faults.needs_login = True
    assert prepared(uri, tmp_path / "records") == undisturbed
