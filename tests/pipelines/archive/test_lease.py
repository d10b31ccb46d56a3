import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from leases import winner_of

from pipelines.archive import lease
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from tfrecords.errors import LostLeaseError, UserError


def of(folder: Path, **fields: object) -> Lease:
    """A lease of another run, on a machine that knows as little of this one as this one knows of it."""
    return Lease(
        folder=str(folder), holder=replace(Holder.here(local=True), **{"process": "another machine 1", **fields})
    )


def here(folder: Path, **fields: object) -> Lease:
    """A lease of another run of this process."""
    return of(folder, process=Holder.here(local=True).process, **fields)


def expire(folder: Path) -> None:
    """As if nobody had renewed the lease for an hour."""
    path = folder / lease.FILE
    os.utime(path, (path.stat().st_mtime - 3600,) * 2)


def test_a_second_run_is_refused_in_one_line_that_says_who_holds_the_folder(tmp_path):
    first, second = of(tmp_path), of(tmp_path)
    first.take()
    first.take()
    with pytest.raises(UserError) as raised:
        second.take()
    told = str(raised.value)
    assert "\n" not in told
    for part in (
        str(tmp_path),
        f"process {os.getpid()} on {first.holder.host}",
        first.holder.since,
        "wait",
        "2 minutes",
    ):
        assert part in told
    with pytest.raises(UserError, match="is being written by another run"):
        second.check_free()
    second.release()
    first.check()
    first.release()
    assert not (tmp_path / lease.FILE).exists()
    second.check_free()
    second.take()


def test_an_expired_lease_is_taken_over_and_its_run_stops(tmp_path):
    first, second = of(tmp_path), of(tmp_path)
    first.take()
    expire(tmp_path)
    second.take()
    for stopped in (first.check, first.keep):
        with pytest.raises(LostLeaseError, match="another run took over") as raised:
            stopped()
        assert "\n" not in str(raised.value)
        assert f"process {os.getpid()}" in str(raised.value)
    first.release()
    second.check()
    second.release()
    with pytest.raises(LostLeaseError, match="it has ended"):
        first.check()


def test_an_expired_lease_that_nobody_took_is_still_that_of_its_run(tmp_path):
    first = of(tmp_path)
    first.take()
    expire(tmp_path)
    first.check()


def test_of_many_runs_one_gets_a_lease_that_has_expired(tmp_path):
    of(tmp_path).take()
    for _ in range(10):
        expire(tmp_path)
        winner_of([of(tmp_path) for _ in range(8)]).check()
        assert [entry.name for entry in (tmp_path / "manifest").iterdir()] == ["lease.json"]


def test_a_run_whose_process_is_gone_from_this_machine_is_over_at_once(tmp_path):
    imports = "import sys; from pipelines.archive.holder import Holder; from pipelines.archive.lease import Lease"
    code = f"{imports}; Lease(folder=sys.argv[1], holder=Holder.here(local=True)).take()"
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    )
    assert (tmp_path / lease.FILE).exists()
    of(tmp_path).take()


def test_a_run_of_this_process_is_over_when_its_last_worker_is(tmp_path):
    first, second = here(tmp_path), here(tmp_path)
    first.enter()
    first.enter()
    first.take()
    first.leave()
    with pytest.raises(UserError, match="is being written by another run"):
        second.take()
    first.leave()
    second.take()
    with pytest.raises(LostLeaseError):
        first.check()


def test_a_process_that_got_the_number_of_a_dead_one_does_not_hold_its_lease(tmp_path):
    here(tmp_path, pid=1).take()
    of(tmp_path).take()


def test_a_process_of_this_machine_holds_its_lease_as_long_as_it_lives(tmp_path):
    here(tmp_path).take()
    expire(tmp_path)
    with pytest.raises(UserError, match=r"last seen 3\d\d\d s ago\); wait for it or stop it$"):
        of(tmp_path).take()


@pytest.mark.parametrize("fields", [{"pid": None, "process": ""}, {"process": ""}, {}])
def test_where_nothing_tells_whether_a_run_lives_only_time_ends_it(tmp_path, fields):
    of(tmp_path, **fields).take()
    with pytest.raises(UserError, match="is being written by another run"):
        of(tmp_path).take()
    expire(tmp_path)
    of(tmp_path).take()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"run": 1}'])
def test_a_damaged_lease_counts_until_it_expires(tmp_path, data):
    (tmp_path / "manifest").mkdir()
    (tmp_path / lease.FILE).write_bytes(data)
    with pytest.raises(UserError, match=r"another run \(unknown"):
        of(tmp_path).take()
    expire(tmp_path)
    of(tmp_path).take()


def test_it_is_renewed_by_whoever_works_for_the_run(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(lease, "_now", lambda: now[0])
    launcher = of(tmp_path)
    launcher.take()
    worker = pickle.loads(pickle.dumps(launcher))
    expire(tmp_path)
    started = (tmp_path / lease.FILE).stat().st_mtime
    for _ in range(3):
        worker.keep()
        now[0] += launcher.holder.seconds / 10
    assert (tmp_path / lease.FILE).stat().st_mtime > started + 3000
    assert json.loads((tmp_path / lease.FILE).read_text())["run"] == launcher.run
    launcher.check()


@pytest.mark.parametrize("local", [True, False])
def test_it_is_given_up_when_a_local_run_fails_and_kept_for_a_job_that_goes_on(tmp_path, local):
    def interrupted() -> None:
        with lease.held(of(tmp_path), local=local):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / lease.FILE).exists() is not local
