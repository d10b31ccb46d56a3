"""Retries, under a clock that tests turn."""

import errno
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from clock import Clock
from google.api_core.retry import retry_base, retry_unary

from pipelines import notices
from pipelines.files import gcs, patience
from tfrecords.errors import OutageError, WorldError


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    for module in (retry_base, retry_unary, patience):
        monkeypatch.setattr(module, "time", made)
    longest = SimpleNamespace(uniform=lambda low, high: high)
    for module in (retry_base, patience):
        monkeypatch.setattr(module, "random", longest)
    monkeypatch.setattr(patience, "_WATCH", type("Nobody", (), {"add": lambda *_: 0, "discard": lambda *_: 0})())
    return made


@pytest.fixture
def told(monkeypatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(notices, "tell", lambda subject, line, severity=0: lines.append(line) or True)
    return lines


def failing(times: int, error: BaseException):
    left = [error] * times

    def work() -> str:
        if left:
            raise left.pop()
        return "read"

    return work


def test_what_passes_is_done_again(clock):
    assert patience.locally("a.jpg", failing(5, OSError(errno.EIO, "I/O error"))) == "read"
    # The first attempt of all is not counted by the policy.
    assert clock.pauses == [0.25, 0.5, 1.0, 2.0]


def test_what_does_not_pass_ends_after_less_than_a_minute(clock):
    with pytest.raises(OutageError, match=r"^a\.jpg could not be read for 45 seconds: Too many open files;") as raised:
        patience.locally("a.jpg", failing(1000, OSError(errno.EMFILE, "Too many open files")))
    assert "\n" not in str(raised.value)
    assert 30 < sum(clock.pauses) <= patience.LOCAL_SECONDS
    assert max(clock.pauses) == patience.LONGEST_LOCAL_PAUSE


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "gone"), ValueError("short"), KeyboardInterrupt()])
def test_nothing_else_is_done_again(clock, error):
    with pytest.raises(type(error)):
        patience.locally("a.jpg", failing(1, error))
    assert clock.pauses == []


@pytest.mark.parametrize("name", ["EUCLEAN", "EBADMSG", "ENODATA"])
def test_a_damaged_file_system_stops_at_once(clock, name):
    number = getattr(errno, name)
    with pytest.raises(WorldError, match=r"^a\.jpg: .*; repair the file system") as raised:
        patience.locally("a.jpg", failing(1, OSError(number, os.strerror(number))))
    assert "\n" not in str(raised.value)
    assert clock.pauses == []


def test_an_error_that_ends_differently_is_raised_as_it_is(clock):
    errors = [FileNotFoundError(errno.ENOENT, "gone"), OSError(errno.ESTALE, "stale")]

    def work() -> None:
        raise errors.pop()

    with pytest.raises(FileNotFoundError):
        patience.locally("a.jpg", work)


def test_after_five_seconds_it_is_said_once_and_so_is_that_it_works_again(clock, told):
    with patience.Attempts("gs://b", "does not answer", 300, patience.is_passing, is_awaited=True) as attempts:
        attempts.look(clock.now + 4.9)
        assert told == []
        attempts.look(clock.now + 5)
        attempts.look(clock.now + 9)
        assert told == ["gs://b does not answer; trying for 5 minutes"]
    assert told[1:] == ["gs://b works again"]


def test_what_fails_is_said_with_its_cause(clock, told):
    with patience.Attempts("a.jpg", "cannot be read", 45, patience.is_passing) as attempts:
        attempts.look(clock.now + 9)
        assert told == []  # it has not failed
        work = failing(2, OSError(errno.EIO, "Input/output error"))
        attempts.retry(lambda: work() and attempts.look(clock.now + 9))()
    assert told == ["a.jpg cannot be read (Input/output error); trying for 45 seconds", "a.jpg works again"]


def test_a_large_file_that_takes_long_is_not_silence(clock, told):
    with patience.Attempts("gs://b", "does not answer", 300, patience.is_passing, is_awaited=True) as attempts:
        arrived = gcs.Arrived(attempts)
        for _ in range(10):
            clock.now += 4
            arrived.write(b"a part of it")
            attempts.look(clock.now + 1)
    assert told == []


def test_a_bucket_that_answers_nothing_is_told_of_by_a_thread(monkeypatch, told):
    monkeypatch.setattr(patience, "TOLD_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(patience, "_LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(patience, "_WATCH", patience._Watch())
    with patience.Attempts("gs://b", "does not answer", 300, patience.is_passing, is_awaited=True):
        while not told:
            pass
    assert told == ["gs://b does not answer; trying for 5 minutes", "gs://b works again"]


def test_every_failure_is_a_log_record_for_the_runner(clock, told, caplog):
    with caplog.at_level("INFO", "pipelines"):
        patience.locally("a.jpg", failing(3, OSError(errno.EIO, "Input/output error")))
    line = "a.jpg cannot be read (Input/output error); trying again"
    assert caplog.record_tuples == [("pipelines.files", logging.INFO, line)] * 3
    assert told == [], "the pauses were short, so nobody was told"


def test_a_run_that_shows_no_log_shows_no_failure(clock, told, caplog):
    patience.locally("a.jpg", failing(3, OSError(errno.EIO, "Input/output error")))
    assert caplog.records == []


FULL = """
import contextlib, os, resource
from pipelines.files import patience

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
with contextlib.suppress(OSError):
    while True:
        taken.append(os.dup(0))
attempts = 0

def work():
    global attempts
    attempts += 1
    if attempts == 3:
        os.close(taken.pop())
    with open(os.devnull):
        return attempts

patience.FIRST_PAUSE = 0.001
print(patience.locally("a.jpg", work))
"""


def test_a_process_without_a_free_file_descriptor_waits_for_one():
    """It cannot import anything either."""
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("3\n", "", 0)
