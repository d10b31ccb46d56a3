"""Code that the command lines of the jobs share, in addition to `model.commands`."""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from model import commands
from model.commands import Parser
from model.terminal import say
from pipelines import notices
from pipelines.errors import JobFailedError
from pipelines.files import local_files
from pipelines.runtime import garbage
from tfrecords.errors import UserError


def in_bytes(number: float) -> str:
    """Return a number of bytes as text with three digits: ``1.23 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 999.5:  # what is more would be rounded to 1e+03
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB" if number < 999.5 else f"{number:,.0f} TB"


def check_no_beam_flags(parser: Parser, words: Sequence[str], needed: str) -> None:
    """Check that nothing is left of a command line that does not start a job.

    Args:
        parser: of the command.
        words: that it does not know.
        needed: the flag that makes the command a job.

    Raises:
        UserError: there are words; it says whether they are flags of Beam.
    """
    if not words:
        return
    from pipelines.runtime import runners  # which imports Beam

    _, unknown = runners.beam_parser().parse_known_args(list(words))
    if unknown:
        parser.refuse(unknown[0])
    raise UserError(f"{words[0]} is a flag of Beam, for a job; a job needs {needed} DIR")


def run(main: Callable[[list[str] | None], int], argv: list[str] | None) -> int:
    """Run a command and return its exit code; every failure is one line on stderr.

    The code is 2 for errors that the user can correct, rights and credentials included, and 1 for an outage or a job
    that failed.
    """

    def interruptible() -> int:
        try:
            return main(argv)
        except KeyboardInterrupt:
            local_files.abandon()
            raise

    try:
        with notices.on_terminal():
            return commands.run(interruptible)
    except JobFailedError as error:
        say(f"autochrome: error: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        place = f"{error.filename}: " if error.filename else ""
        denied = f"{place}access is denied ({error.strerror or error})"
        say(f"autochrome: error: {denied}; grant access, then start again", file=sys.stderr)
        return 2


def run_module(name: str) -> NoReturn:
    """Run the command of a module, imported by name, because code that is pickled must not be in ``__main__``."""
    code = run(importlib.import_module(name).main, sys.argv[1:])
    garbage.at_exit()
    sys.exit(code)
