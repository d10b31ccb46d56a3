"""Where notices go: to the terminal of a command, to the one who shows progress, or to the logs of a runner."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from pipelines.notices import Mailbox, on_terminal, tell


def test_a_worker_without_a_terminal_logs_with_a_severity_and_prints_nothing(caplog, capfd):
    with caplog.at_level("INFO"):
        assert tell("gs://b", "gs://b does not answer")
        assert tell("gs://b", "gs://b works again", logging.INFO)
    assert caplog.record_tuples == [
        ("pipelines", logging.WARNING, "gs://b does not answer"),
        ("pipelines", logging.INFO, "gs://b works again"),
    ]
    assert capfd.readouterr() == ("", "")


def test_a_command_prints_a_line_and_logs_nothing(caplog, capsys):
    with caplog.at_level("INFO"), on_terminal():
        tell("gs://b", "gs://b does not answer")
    assert capsys.readouterr() == ("", "autochrome: gs://b does not answer\n")
    assert caplog.records == []


def test_news_are_told_once_until_there_are_others(capsys):
    with on_terminal():
        for line in ("down", "down", "up", "up", "down"):
            tell("gs://b", line)
        tell("gs://c", "down")
    assert capsys.readouterr().err.split() == [
        word for line in ("down", "up", "down", "down") for word in ("autochrome:", line)
    ]


def test_a_command_within_a_command_leaves_the_terminal_to_the_outer_one(capsys):
    with on_terminal():
        with on_terminal():
            pass
        tell("a", "said")
    assert capsys.readouterr().err == "autochrome: said\n"


def test_processes_of_a_run_leave_notices_where_progress_is_shown(caplog, capfd):
    code = "from pipelines import notices\nassert notices.tell('gs://b', 'gs://b does not answer')"
    with caplog.at_level("INFO"), on_terminal(), Mailbox() as mailbox:
        for _ in range(2):
            subprocess.run([sys.executable, "-c", code], check=True)
        tell("gs://c", "ü \udce9")
        assert mailbox.news() == ["gs://b does not answer", "ü \udce9"]
        assert mailbox.news() == []
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
    with on_terminal():
        tell("gs://b", "later")
    assert capfd.readouterr().err == "autochrome: later\n", "the mailbox is gone"


def test_what_a_command_printed_before_its_job_is_not_printed_again_in_it(capsys):
    with on_terminal():
        tell("sidecars", "ignoring two files")
        with Mailbox() as mailbox:
            tell("sidecars", "ignoring two files")
            tell("gs://b", "down")
            assert mailbox.news() == ["down"]
    with on_terminal():
        tell("sidecars", "ignoring two files")
    assert capsys.readouterr().err.splitlines() == ["autochrome: ignoring two files"] * 2, "each command says it once"


def test_mailboxes_may_be_nested(monkeypatch):
    with Mailbox() as outer:
        with Mailbox() as inner:
            tell("a", "inner")
            assert inner.news() == ["inner"]
        tell("a", "outer")
        assert outer.news() == ["outer"]


def test_a_library_says_it_as_python_libraries_do():
    code = "from pipelines import notices\nnotices.tell('gs://b', 'gs://b does not answer')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "gs://b does not answer\n")


def test_a_worker_that_is_late_does_not_bring_the_mailbox_back(monkeypatch):
    with Mailbox() as mailbox:
        path = os.environ["AUTOCHROME_NOTICES"]
        assert tell("gs://b", "down")
        assert mailbox.news() == ["down"]
    monkeypatch.setenv("AUTOCHROME_NOTICES", path)
    assert not tell("gs://b", "up")
    assert not Path(path).exists()
