"""Show lines to the user while a job runs, from any of its processes.

A local run redirects standard error (`pipelines.runtime.local_run`), so its processes append their lines to a file, and
the process that shows the progress prints them. A command that does not run a job prints them itself. Elsewhere, as in
a worker on Dataflow, they are records of `logging`, so that they reach the runner's logs with their severity.
"""

import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Self

from model.terminal import say
from pipelines import shared_file

_VARIABLE = "AUTOCHROME_NOTICES"
"""The environment variable with the path of the file; workers inherit it."""
_LOG = logging.getLogger(__package__)
_is_command = False


@contextlib.contextmanager
def on_terminal() -> Iterator[None]:
    """Print notices on standard error within the block, because this process is a command that a user watches."""
    global _is_command, _told_here
    before, _is_command = _is_command, True
    if not before:
        _told_here = Board()
    try:
        yield
    finally:
        _is_command = before


def tell(subject: str, line: str, severity: int = logging.WARNING) -> bool:
    """Show a line about a subject, unless it is the same as the last line about it.

    Args:
        subject: such as a bucket; many threads and processes may report the same at once.
        line: a readable message.
        severity: a level of `logging`, for workers without a terminal.

    Returns:
        whether the line was shown; it is not if the process has no free file descriptor, or the run is over.
    """
    path = os.environ.get(_VARIABLE)
    if path is None:
        for news in _told_here.news([(subject, line)]):
            if _is_command:
                say(f"autochrome: {news}", file=sys.stderr)
            else:
                _LOG.log(severity, "%s", news)
        return True
    try:
        shared_file.append(path, json.dumps([subject, line]).encode() + b"\n")
    except OSError:
        return False
    return True


class Board:
    """Remembers the last line about each subject, so that repeated lines are not printed."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def news(self, notices: list[tuple[str, str]]) -> list[str]:
        """Return the lines that differ from the last line about their subject."""
        lines = []
        for subject, line in notices:
            if self._last.get(subject) != line:
                self._last[subject] = line
                lines.append(line)
        return lines


_told_here = Board()


class Mailbox:
    """The file to which the processes of a run append their notices; a context manager."""

    def __enter__(self) -> Self:
        self._file = tempfile.NamedTemporaryFile(prefix="autochrome-notices-")
        self._rest = b""
        self._board = _told_here if _is_command else Board()
        self._before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = self._file.name
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = self._before
        self._file.close()

    def news(self) -> list[str]:
        """Return the lines that arrived since the last call and are not repetitions."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return self._board.news([(str(subject), str(line)) for subject, line in map(json.loads, lines)])
