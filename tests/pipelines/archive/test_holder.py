import os
from dataclasses import replace

import pytest

from pipelines.archive.holder import Holder


@pytest.mark.parametrize("local", [True, False])
def test_the_file_describes_its_run(local):
    holder = Holder.here(local=local)
    assert Holder.from_json(holder.to_json()) == holder
    assert holder.run not in (Holder.here(local=local).run, "")


@pytest.mark.parametrize("data", [b"", b"{}", b"[1, 2]", b'{"run": "a", "colour": 7}', b"\xff"])
def test_any_other_file_describes_none(data):
    assert Holder.from_json(data) is None


def test_the_run_of_this_process_is_alive():
    holder = Holder.here(local=True)
    assert holder.is_alive() is True
    assert str(holder) == f"process {os.getpid()} on {holder.host}, since {holder.since}"


def test_a_run_is_over_when_another_process_has_its_number():
    holder = Holder.here(local=True)
    assert replace(holder, process=f"{holder.process}0").is_alive() is False


def test_the_life_of_other_runs_is_not_known():
    assert Holder.here(local=False).is_alive() is None
    assert replace(Holder.here(local=True), process="another machine 1").is_alive() is None
    assert replace(Holder.here(local=True), process="").is_alive() is None


def test_a_run_that_only_its_workers_renew_has_more_time():
    assert Holder.here(local=True).seconds < Holder.unwatched(local=True).seconds
