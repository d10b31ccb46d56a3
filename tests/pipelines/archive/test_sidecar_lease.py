import os
import pickle
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import mistake
from whole_manifest import write_manifest

from pipelines.archive import lease, partitions, sidecar_lease
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from pipelines.archive.provenance import Recipe, Settings
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
    monkeypatch.setattr(sidecar_lease, "_PATIENCE_S", 0.0)
    with pytest.raises(UserError, match="--sidecar"):
        second.take()
    assert leases(tmp_path) == before


def test_one_of_two_runs_that_start_at_the_same_moment_wins(tmp_path, monkeypatch):
    create, release = Lease._take, Lease.release
    for number in range(4):
        barrier = threading.Barrier(2)
        runs = [run(tmp_path, f"{name}{number}") for name in ("colour", "prints")]
        refused: list[str] = []

        def create_at_once(one: Lease, barrier: threading.Barrier = barrier) -> None:
            create(one)
            if isinstance(one, sidecar_lease.SidecarLease):
                barrier.wait(60)  # both have found the folder free, and both have a lease now

        def release_late(one: Lease) -> None:
            time.sleep(0.3)  # so that both see both leases
            release(one)

        def take(one: Lease, refused: list[str] = refused) -> None:
            try:
                one.take()
            except UserError as error:
                refused.append(str(error))

        monkeypatch.setattr(Lease, "_take", create_at_once)
        monkeypatch.setattr(sidecar_lease.SidecarLease, "release", release_late)
        threads = [threading.Thread(target=take, args=(one,)) for one in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [said] = refused
        assert said.startswith("--sidecar ")
        assert len(leases(tmp_path)) == 2, "those of one run"
        for one in runs:
            one.release()


def test_a_run_that_has_its_lease_does_not_mind_one_that_looks_for_it(tmp_path):
    first, second = run(tmp_path, "colour"), run(tmp_path, "prints")
    first.take()
    sidecar = second.beside
    Lease(folder=sidecar.folder, holder=sidecar.holder, file=sidecar.file).take()  # before it sees the first one's
    first.take()


def test_an_output_is_one_output_by_whatever_path_it_is_named(tmp_path, monkeypatch):
    (tmp_path / "colour").mkdir()
    (tmp_path / "link").symlink_to("colour")
    monkeypatch.chdir(tmp_path)
    holder = Holder.here(local=True)
    paths = ("colour", "./colour/", f"{tmp_path}/colour", f"{tmp_path}/link", "link/../colour")
    assert len({sidecar_lease.of("chroma", path, holder).file for path in paths}) == 1
    uris = ("gs://b/colour", "gs://b/colour/")
    assert len({sidecar_lease.of("chroma", uri, holder).file for uri in uris}) == 1


def with_sidecars(output: Path, sidecar: str) -> None:
    """Record that a run into an output wrote sidecars into a folder."""
    settings = Settings(sidecar=sidecar)
    recipe = Recipe(model="m", model_digest="ab" * 32, settings=settings, settings_digest=settings.digest())
    write_manifest(output, [], recipe)


def test_sidecars_of_another_output_are_not_replaced(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chroma" / "box").mkdir(parents=True)
    (tmp_path / "chroma" / "box" / "a.jpg.chroma").write_bytes(b"chroma")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.jpg").write_bytes(b"scan")
    with_sidecars(tmp_path / "colour", "chroma")
    said = (
        "--sidecar chroma has sidecars of another output, such as box/a.jpg.chroma; choose another folder for sidecars"
    )
    for more in ([], ["--dry_run"]):
        assert mistake(["colorize", "scans", "prints", "--sidecar", "chroma", *more], tmp_path, capsys) == said
    with_sidecars(tmp_path / "prints", "other")
    with pytest.raises(UserError, match="of another output"):
        sidecar_lease.check_earlier("chroma", "prints")


def test_sidecars_of_earlier_runs_into_an_output_may_be_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "notes.txt").write_text("none yet")
    sidecar_lease.check_earlier("", "prints")
    sidecar_lease.check_earlier("chroma", "prints")
    sidecar_lease.check_earlier("nowhere.chroma", "prints")
    (tmp_path / "chroma" / "a.jpg.chroma").write_bytes(b"chroma")
    with_sidecars(tmp_path / "colour", "chroma")
    with_sidecars(Path(partitions.folder_of(str(tmp_path / "parts"), Partition(2, 3))), "chroma/")
    for state in ("colour", "parts"):
        for folder in ("chroma", f"{tmp_path}/chroma"):
            sidecar_lease.check_earlier(folder, state)
    (tmp_path / "moved").mkdir()
    (tmp_path / "chroma").rename(tmp_path / "moved" / "chroma")
    sidecar_lease.check_earlier("moved/chroma", "colour")


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
