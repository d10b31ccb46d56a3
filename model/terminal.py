"""What is printed to a terminal: lines that cannot command it, whatever names of files they hold.

A name on a disk, in a bucket or in a tar may hold escape sequences, line breaks and bytes that are not UTF-8. All
commands print lines through `say`, and tables through `show`.

If the program that reads the output has ended, as ``head`` does, the rest is dropped and the work goes on.
"""

import contextlib
import os
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

UNREAD = 141
"""The exit code of a command that only prints, when nobody reads it: that of a program which SIGPIPE ended."""
_unread = False
# Characters that `str.isprintable` refuses and that a terminal shows without harm: spaces, and the joiners of emoji.
_HARMLESS = frozenset("\u00a0\u2002\u2003\u2009\u202f\u3000\u200c\u200d")


def printable(text: str) -> str:
    """Return text as a terminal can show it on one line: control characters and other invisible ones as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _HARMLESS else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def reopen() -> None:
    """Open on the null device what of standard input, output and error is closed, before another file takes its place.

    The lines of a library would go into that file, and ours would have no stream.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:  # it is closed; the lowest free number is taken, and those below it are open
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, mode))


_STARTING = "autochrome: starting"
_is_shown = False


def starting() -> None:
    """Say on standard error that the program starts, which takes seconds; a terminal shows it until the next line."""
    global _is_shown
    _is_shown = sys.stderr.isatty()
    print(_STARTING, end="" if _is_shown else "\n", file=sys.stderr, flush=True)


def started() -> None:
    """Clear what `starting` shows on a terminal; `say` does it as well."""
    global _is_shown
    if _is_shown:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
        _is_shown = False


def say(*parts: object, sep: str = " ", file: IO[str] | None = None) -> None:
    """Print a line at once; its parts are made printable, and what the stream cannot encode becomes an escape.

    Args:
        parts: of the line.
        sep: between them, printed as it is.
        file: to print to; None for standard output.
    """
    started()
    file = file or sys.stdout
    line = sep.join(printable(str(part)) for part in parts)
    encoding = getattr(file, "encoding", None) or "utf-8"
    _write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n", file)


def show(table: "Table", console: "Console") -> None:
    """Print a table."""
    with console.capture() as captured:
        console.print(table)
    _write(captured.get(), console.file)


def is_read() -> bool:
    """Return whether somebody may still read standard output."""
    return not _unread


def _write(text: str, file: IO[str]) -> None:
    try:
        file.write(text)
        file.flush()
    except BrokenPipeError:
        global _unread
        _unread = _unread or file is sys.stdout
        # What is in the buffer goes there as well, so that Python says nothing of it when it ends.
        with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device)
            os.dup2(nowhere.fileno(), file.fileno())
