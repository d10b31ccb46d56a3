"""What is printed to a terminal: lines that cannot command it, whatever names of files they hold.

A name on a disk, in a bucket or in a tar may hold escape sequences, line breaks and bytes that are not UTF-8. All
commands print through `say`; only tables go to Rich directly.
"""

import sys
from typing import IO

# Characters that `str.isprintable` refuses and that a terminal shows without harm: spaces, and the joiners of emoji.
_HARMLESS = frozenset("\u00a0\u2002\u2003\u2009\u202f\u3000\u200c\u200d")


def printable(text: str) -> str:
    """Return text as a terminal can show it on one line: control characters and other invisible ones as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _HARMLESS else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


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
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=file, flush=True)
