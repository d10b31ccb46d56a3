import re
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from clock import Clock

from pipelines import notices
from pipelines.runtime import progress
from pipelines.runtime.progress import SILENT, Ticker, _line, _Reading, watched

WORKER = """
import sys
from pipelines.runtime import progress
from pipelines.runtime.progress import Ticker
ticker = Ticker(sys.argv[1])
for index in range(500):
    ticker.listed()
    ticker.done(("written", "skipped", "rejected", "written", "written")[index % 5])
"""


def test_several_processes_lose_no_tick():
    with watched("preparing", enabled=True) as ticker:
        workers = [subprocess.Popen([sys.executable, "-c", WORKER, ticker.path]) for _ in range(2)]
        assert [worker.wait() for worker in workers] == [0, 0]
        ticker.all_listed()
        with Path(ticker.path).open("rb") as file:
            reading = _Reading(file)
            reading.update()
        assert Counter(Path(ticker.path).read_text()) == {".": 1000, "e": 1, "w": 600, "s": 200, "r": 200}
    assert (reading.total, reading.done, reading.rejected) == (1000, 1000, 200)
    assert not Path(ticker.path).exists()


def test_a_worker_that_is_late_does_not_bring_the_file_back():
    """As after Ctrl-C, when threads of the runner are still at work."""
    with watched("preparing", enabled=True) as ticker:
        ticker.listed()
    ticker.done("written")
    assert not Path(ticker.path).exists()


def test_the_number_of_photos_is_unknown_until_all_are_listed(tmp_path):
    (tmp_path / "ticks").touch()
    ticker = Ticker(str(tmp_path / "ticks"))
    ticker.listed()
    with (tmp_path / "ticks").open("rb") as file:
        reading = _Reading(file)
        reading.update()
        assert _line("preparing", reading) == "preparing: 1 found so far"
        ticker.listed()
        ticker.done("rejected")
        reading.update()
        assert _line("preparing", reading) == "preparing: 1 of ? photos, 1 rejected"
        assert (reading.found, reading.total, reading.done, reading.rejected) == (2, None, 1, 1)
        ticker.all_listed()
        reading.update()
        reading.update()
        assert _line("preparing", reading) == "preparing: 1 of 2 photos, 1 rejected"


def test_speed_and_time_left_are_told_only_when_they_are_known(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    (tmp_path / "ticks").touch()
    ticker = Ticker(str(tmp_path / "ticks"))
    for _ in range(30_000):
        ticker.listed()
    ticker.all_listed()
    ticker.done("written")
    with (tmp_path / "ticks").open("rb") as file:
        reading = _Reading(file)
        reading.update()
        assert _line("preparing", reading) == "preparing: 1 of 30,000 photos, 0 rejected"
        clock.now += 100
        ticker.done("written", 200)
        reading.update()
        assert _line("preparing", reading) == "preparing: 201 of 30,000 photos, 2.0/s, 0 rejected, 4 h 8 min left"
        ticker.done("written", 29_799)
        reading.update()
        assert _line("preparing", reading).endswith("30,000 of 30,000 photos, 300.0/s, 0 rejected")


def test_the_last_line_says_how_many_photos_took_how_long(capsys):
    with watched("preparing", enabled=True) as ticker:
        for status in ("written", "rejected"):
            ticker.listed()
            ticker.done(status)
        ticker.all_listed()
    assert re.fullmatch(r"preparing: 2 of 2 photos in \d+ s\n", capsys.readouterr().err)


def test_a_job_that_broke_does_not_say_how_long_it_took(capsys):
    def break_down() -> None:
        with watched("preparing", enabled=True) as ticker:
            ticker.listed()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_down()
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar_ends_at_the_last_count(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with watched("colorizing", enabled=True) as ticker:
        for status in ("written", "written", "rejected"):
            ticker.listed()
            ticker.done(status)
        ticker.all_listed()
    out, err = capsys.readouterr()
    assert out == ""
    assert "colorizing" in err
    assert "3/3" in err
    assert "1 rejected" in err


TELLING = """
from pipelines import notices
for line in ("gs://b does not answer", "gs://b does not answer", "gs://b works again"):
    assert notices.tell("gs://b", line)
"""


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_workers_have_to_say_is_told_at_once_though_their_stderr_is_set_aside(monkeypatch, capsys, is_terminal):
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "120")
    with watched("colorizing", enabled=True):
        # Two of them notice it one after the other.
        for _ in range(2):
            subprocess.run([sys.executable, "-c", TELLING], check=True, stderr=subprocess.DEVNULL)
    err = capsys.readouterr().err
    assert err.count("autochrome: gs://b does not answer") == 2
    assert err.count("autochrome: gs://b works again") == 2


def test_a_process_without_a_descriptor_left_works_on(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with watched("colorizing", enabled=True) as ticker:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
            ticker.done("written")
            assert not notices.tell("gs://b", "gs://b does not answer")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert notices.tell("gs://b", "gs://b does not answer")


def test_nobody_watches_remote_runners():
    with watched("preparing", enabled=False) as ticker:
        assert ticker is SILENT
        ticker.listed()
        ticker.done("written")


def test_the_file_goes_also_when_the_job_breaks():
    path = ""
    try:
        with watched("preparing", enabled=True) as ticker:
            path = ticker.path
            raise RuntimeError
    except RuntimeError:
        pass
    assert path
    assert not Path(path).exists()
