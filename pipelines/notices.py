"""Lines for the person at the terminal while a job runs, from whatever process has something to say.

A local run sets standard error aside (`pipelines.runtime.local_run`), so its processes append their lines to a file,
and the process that shows the progress prints them. A command that is not running a job prints them itself. Elsewhere,
as in a worker on Dataflow, they are log records of `logging`, so that they reach the runner's logs with their severity.
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

_VARIABLE = "AUTOCHROME_NOTICES"
"""Names the file; workers inherit it."""
_LOG = logging.getLogger(__package__)
_is_command = False


@contextlib.contextmanager
def on_terminal() -> Iterator[None]:
    """Print notices on standard error within the block: this process is a command, with a person before it."""
    global _is_command
    before, _is_command = _is_command, True
    try:
        yield
    finally:
        _is_command = before


def tell(subject: str, line: str, severity: int = logging.WARNING) -> bool:
    """Say something about a subject, unless it is what was said last about it.

    Args:
        subject: such as a bucket; many threads and processes may notice the same at once.
        line: for people.
        severity: a level of `logging`, for workers without a terminal.

    Returns:
        whether it could be said: a process may have no descriptor left.
    """
    path = os.environ.get(_VARIABLE)
    if path is None:
        for news in _TOLD_HERE.news([(subject, line)]):
            if _is_command:
                say(f"autochrome: {news}", file=sys.stderr)
            else:
                _LOG.log(severity, "%s", news)
        return True
    try:
        with open(path, "ab", buffering=0) as file:  # noqa: PTH123 (in append mode, and in one call)
            file.write(json.dumps([subject, line]).encode() + b"\n")
    except OSError:
        return False
    return True


class Board:
    """What was said already, so that each subject's news are printed once."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def news(self, notices: list[tuple[str, str]]) -> list[str]:
        """Returns the lines that are not what was said last about their subject."""
        lines = []
        for subject, line in notices:
            if self._last.get(subject) != line:
                self._last[subject] = line
                lines.append(line)
        return lines


_TOLD_HERE = Board()


class Mailbox:
    """Where the processes of a run leave their notices; a context manager."""

    def __enter__(self) -> Self:
        self._file = tempfile.NamedTemporaryFile(prefix="autochrome-notices-")
        self._rest = b""
        self._board = Board()
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
        """Returns the lines that arrived since the last call and say something new."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return self._board.news([(str(subject), str(line)) for subject, line in map(json.loads, lines)])
