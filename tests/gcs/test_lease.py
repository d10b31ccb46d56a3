"""Leases in a bucket where every other request fails, answers that get lost among them."""

from dataclasses import replace

import pytest
from clouds import Cloud
from leases import winner_of

from pipelines.archive import lease
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from tfrecords.errors import LostLeaseError, UserError

OVER = -1.0  # seconds after which a lease expires: it has expired when it is written


def of(folder: str, seconds: float = 900.0) -> Lease:
    """A lease of another job."""
    return Lease(folder=folder, holder=replace(Holder.here(local=False), seconds=seconds))


@pytest.mark.parametrize("before", [None, OVER])
def test_of_many_runs_one_gets_the_lease(rough_cloud: Cloud, before):
    folder = rough_cloud.uri(f"contested {before}")
    if before is not None:
        of(folder, before).take()
    winner_of([of(folder) for _ in range(6)]).check()
    assert set(rough_cloud.generations(f"contested {before}")) == {lease.FILE}


def test_it_is_renewed_and_given_up(rough_cloud: Cloud, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(lease, "_now", lambda: now[0])
    first, second = of(rough_cloud.uri("renewed")), of(rough_cloud.uri("renewed"))
    first.take()
    before = rough_cloud.generations("renewed")[lease.FILE]
    for _ in range(4):
        first.keep()
        now[0] += 100
    assert rough_cloud.generations("renewed")[lease.FILE] > before
    with pytest.raises(UserError, match=r"written by another run \(a job launched on"):
        second.take()
    second.release()
    first.release()
    assert not rough_cloud.generations("renewed")


def test_one_that_was_taken_over_stops_its_run(rough_cloud: Cloud):
    first, second = of(rough_cloud.uri("stale"), OVER), of(rough_cloud.uri("stale"))
    first.take()
    first.check()
    second.take()
    for stopped in (first.keep, first.check):
        with pytest.raises(LostLeaseError, match="a job launched on"):
            stopped()
    first.release()
    second.check()
