"""Output in a bucket that keeps what it gets: found out before any work, and worked with by --state."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clouds import Cloud
from colorize_job import recorded
from keeping import Keeping

from pipelines import cli, colorize, report
from pipelines.files import buckets, writable
from tfrecords.errors import DeniedError, UserError


@pytest.fixture(scope="module")
def scans(tmp_path_factory, grey_photos, encoded: Callable[..., bytes]) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for index in range(4):
        (folder / f"{index}.png").write_bytes(encoded(grey_photos["coins"][index : index + 60, :80], "PNG"))
    return folder


@pytest.mark.parametrize("by_hold", [False, True])
@pytest.mark.parametrize("is_secret", [False, True], ids=["open", "secret"])
def test_a_bucket_that_keeps_everything_is_told_at_once(calm_cloud: Cloud, is_secret, by_hold):
    folder = f"kept {is_secret} {by_hold}"
    calm_cloud.store.keeping = Keeping("kept", by_hold, is_secret)
    for _ in range(2):
        with pytest.raises(UserError, match="in a bucket that keeps every object it gets") as raised:
            writable.check(calm_cloud.uri(folder), instead="keep its records elsewhere with --state DIR")
        assert ("hold" if by_hold else "retention policy") in str(raised.value)
        assert str(raised.value).endswith("; keep its records elsewhere with --state DIR")
        assert "\n" not in str(raised.value)
    # Without the right to read the bucket's settings it takes an object to find out: one, however often that is tried.
    assert len(calm_cloud.generations(folder)) == int(is_secret)
    writable.check(calm_cloud.uri(folder), once=True)
    assert len(calm_cloud.generations(folder)) == int(is_secret), "asking for an upload leaves nothing"


def test_a_bucket_where_nothing_may_be_created_is_told_without_a_trace(calm_cloud: Cloud):
    calm_cloud.faults.refuse("POST .*upload", 403)
    for once in (False, True):
        with pytest.raises(UserError, match="cannot be written to"):
            writable.check(calm_cloud.uri("closed"), once=once)
    assert not calm_cloud.generations("closed")


@pytest.mark.parametrize(("by_hold", "why"), [(False, "a retention policy, until 2031-01-31"), (True, "a hold")])
def test_an_object_that_is_kept_stops_the_job_and_says_why(calm_cloud: Cloud, by_hold, why, monkeypatch):
    monkeypatch.setattr("pipelines.files.patience.DENIED_SECONDS", 0.0)
    uri = calm_cloud.uri(f"objects {by_hold}/a.png")
    calm_cloud.store.keeping = Keeping("objects", by_hold)
    buckets.write(uri, b"first")
    buckets.write(uri, b"first")
    for change in (lambda: buckets.write(uri, b"second"), lambda: buckets.delete([uri])):
        with pytest.raises(DeniedError, match=f"a.png cannot be replaced or removed: {why} keeps it; leave it with"):
            change()
    assert calm_cloud.files(f"objects {by_hold}") == {"a.png": b"first"}


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_with_its_state_elsewhere_a_run_writes_each_file_once(
    calm_cloud: Cloud, scans, saved_model_dir, tmp_path, place, capfd
):
    # A bucket with both folders stands for two buckets: asked for its settings, it would speak for both.
    calm_cloud.store.keeping = Keeping("colour/", is_secret=place == "bucket")
    output, local = calm_cloud.uri(f"colour/{place}"), tmp_path / "state"
    state = str(local) if place == "disk" else calm_cloud.uri("state")
    flags = [f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}", f"--state={state}"]
    assert colorize.main([*flags, "--limit=2"]) == 0
    first = calm_cloud.generations(f"colour/{place}")
    assert set(first) == {"0.png", "1.png"}
    assert colorize.main(flags) == 0
    made = calm_cloud.generations(f"colour/{place}")
    assert set(made) == {f"{index}.png" for index in range(4)}
    assert first.items() <= made.items()
    assert report.main([output, f"--state={state}"]) == 0
    assert colorize.main([*flags, "--dry_run"]) == 0
    for name, data in calm_cloud.files("state").items():
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_bytes(data)
    found = {str(path.relative_to(local)) for path in local.rglob("*") if path.is_file()}
    assert {"index.html", "report.json", "rejected.jsonl", "manifest/runs.json"} <= found
    assert not [name for name in found if "journal" in name or "lease" in name or ".part" in name]
    assert len(recorded(local)) == 4
    last = json.loads((local / "manifest" / "last_run.json").read_text())
    assert (last["made"], last["found"]) == (2, 2)
    # Another quality would have to replace what is kept: that is not the fault of a photo.
    (local / "index.html").unlink()
    capfd.readouterr()
    assert cli.main(["colorize", *flags, "--format=tiff"]) == 1
    assert "cannot be replaced or removed: a retention policy, until 2031-01-31 keeps it" in capfd.readouterr().err
    assert made.items() <= calm_cloud.generations(f"colour/{place}").items()
