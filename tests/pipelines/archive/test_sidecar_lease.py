import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.archive import lease, partitions, sidecar_lease
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from pipelines.runtime.partition import Partition
from tfrecords.errors import LostLeaseError, UserError


def run(root: Path, output: str, index: int = 0, **fields: object) -> Lease:
    """The lease of a run on another machine that writes its sidecars into one folder, as all of them do."""
    holder = replace(Holder.here(local=True), **{"process": "another machine 1", **fields})
    state = str(root / output)
    if index:
        state = partitions.folder_of(state, Partition(index, 2))
    return Lease(folder=state, holder=holder, beside=sidecar_lease.of(str(root / "chroma"), state, holder))


def leases(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("lease*.json"))


def test_two_outputs_do_not_write_sidecars_into_one_folder_at_once(tmp_path):
    first, second = run(tmp_path, "colour"), run(tmp_path, "prints")
    first.take()
    before = leases(tmp_path)
    assert len(before) == 2
    for step in (second.take, second.check_free):
        with pytest.raises(UserError) as raised:
            step()
        said = str(raised.value)
        assert said.startswith(f"--sidecar {tmp_path}/chroma is being written by another run (process ")
        assert said.endswith("or choose another folder for sidecars")
        assert "\n" not in said
    assert leases(tmp_path) == before, "a refused run leaves no lease"
    assert not (tmp_path / "prints").exists()
    first.release()
    assert leases(tmp_path) == []
    second.take()


def test_partitions_of_one_output_share_a_folder_of_sidecars(tmp_path):
    parts = [run(tmp_path, "colour", 1), run(tmp_path, "colour", 2)]
    for part in parts:
        part.take()
        part.take()
    assert len(leases(tmp_path)) == 4
    with pytest.raises(UserError, match="--sidecar"):
        run(tmp_path, "prints").take()
    parts[0].release()
    with pytest.raises(UserError, match="--sidecar"):
        run(tmp_path, "prints").take()
    parts[1].release()
    run(tmp_path, "prints").take()


def test_a_run_that_started_at_the_same_moment_gives_its_leases_back(tmp_path, monkeypatch):
    first, second = run(tmp_path, "colour"), run(tmp_path, "prints")
    first.take()
    before = leases(tmp_path)
    monkeypatch.setattr(sidecar_lease.SidecarLease, "check_free", lambda _: None)  # as if it had looked before
    with pytest.raises(UserError, match="--sidecar"):
        second.take()
    assert leases(tmp_path) == before


def test_leases_of_runs_that_are_over_are_removed(tmp_path):
    crashed = run(tmp_path, "colour")
    crashed.take()
    [path] = (tmp_path / "chroma").rglob("lease*.json")
    os.utime(path, (0, 0))
    second = run(tmp_path, "prints")
    second.take()
    assert not path.exists()
    with pytest.raises(LostLeaseError, match="chroma"):
        crashed.keep()


def test_workers_renew_both_leases_and_a_folder_of_its_own_is_needed_for_one(tmp_path):
    taken = run(tmp_path, "colour")
    taken.take()
    before = {path: path.read_bytes() for path in tmp_path.rglob("lease*.json")}
    worker = pickle.loads(pickle.dumps(taken))
    for _ in range(2):  # the first look tells it which version it knows
        worker._looked = worker.beside._looked = float("-inf")
        worker.keep()
    assert all(path.read_bytes() != data for path, data in before.items())
    assert sidecar_lease.of("", str(tmp_path / "colour"), taken.holder) is None
    assert (tmp_path / "colour" / lease.FILE).exists()
