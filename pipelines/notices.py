"""Lines for the person at the terminal while a job runs, from whatever process has something to say.

A local run sets standard error aside (`pipelines.runtime.runners`), so its processes append their lines to a file, and
the process that shows the progress prints them. Elsewhere, as on Dataflow, lines go to standard error and so to the
logs.
"""

import json
import os
import sys
import tempfile
from typing import Self

from model.terminal import say

_VARIABLE = "AUTOCHROME_NOTICES"
"""Names the file; workers inherit it."""


def tell(subject: str, line: str) -> bool:
    """Says something about a subject; what was said last about it is not repeated.

    Args:
        subject: such as a bucket; many threads and processes may notice the same at once.
        line: for people.

    Returns:
        whether it could be said: a process may have no descriptor left.
    """
    path = os.environ.get(_VARIABLE)
    if path is None:
        _TOLD_HERE.print([(subject, line)])
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

    def print(self, notices: list[tuple[str, str]]) -> None:
        """Prints the news on standard error."""
        for line in self.news(notices):
            say(f"autochrome: {line}", file=sys.stderr)


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
