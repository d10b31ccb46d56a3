"""Code that the command lines of the jobs share, in addition to `model.commands`."""

import importlib
import sys
from collections.abc import Callable
from typing import NoReturn

from model import commands
from model.terminal import say
from pipelines import notices
from pipelines.errors import JobFailedError
from pipelines.files import local_files


def in_bytes(number: float) -> str:
    """Return a number of bytes as text with three digits: ``1.23 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 999.5:  # what is more would be rounded to 1e+03
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB" if number < 999.5 else f"{number:,.0f} TB"


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


def run_module(name: str) -> NoReturn:
    """Run the command of a module, imported by name, because code that is pickled must not be in ``__main__``."""
    sys.exit(run(importlib.import_module(name).main, sys.argv[1:]))
