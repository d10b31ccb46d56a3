"""What the command lines of the jobs share beside those of `model.commands`."""

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
    """A number of bytes in words, three digits of it: ``1.23 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:,.3g} TB"


def run(main: Callable[[list[str] | None], int], argv: list[str] | None) -> int:
    """Returns the exit code of a command; every failure is one line on stderr.

    2 is for what the user can correct, rights and credentials included; 1 for an outage and for a job that failed.
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
    """Runs the command of a module, imported by name: what is pickled for workers must not live in ``__main__``."""
    sys.exit(run(importlib.import_module(name).main, sys.argv[1:]))
