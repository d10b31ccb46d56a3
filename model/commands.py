"""What all command lines share: one line for what the user can correct, and exit code 2."""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from model import interrupt
from model.terminal import say
from tfrecords.errors import DeniedError, UserError, WorldError

_SCHEME = re.compile(r"(gs|file):/|[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Parser(argparse.ArgumentParser):
    """A parser whose flags must be whole words and whose errors are one line, not a usage and a line."""

    def __init__(self, command: str, usage: str, description: str, example: str) -> None:
        super().__init__(
            prog=f"autochrome {command}",
            usage=f"%(prog)s {usage}",
            description=description,
            epilog=f"example:\n  {example}",
            # The longest flag and its help on one line.
            formatter_class=functools.partial(argparse.RawDescriptionHelpFormatter, max_help_position=27),
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise a `UserError` in place of printing the usage."""
        raise UserError(f"{message}; `{self.prog} --help` shows the flags")


def path(text: str) -> str:
    """Return a flag's path as it is; an argparse error if it is neither local nor in a bucket of Cloud Storage."""
    if re.match(r"gs://[^/]", text) or not _SCHEME.match(text):
        return text
    if text.lower().startswith("gs:"):
        raise argparse.ArgumentTypeError(f"{text} is no path in a bucket; write gs://BUCKET/PATH")
    if text.lower().startswith("file:/"):
        raise argparse.ArgumentTypeError(f"{text} is a URL; give a local path without file://")
    raise argparse.ArgumentTypeError(f"{text} is not supported; give a local path, or gs://BUCKET/PATH")


def run(main: Callable[[], int]) -> int:
    """Return the exit code of `main`; its errors become one line on stderr.

    A `UserError` and missing rights are 2, an outage is 1, Ctrl-C is 130.
    """
    try:
        return main()
    except (UserError, WorldError) as error:
        say(f"autochrome: error: {error}", file=sys.stderr)
        return 2 if isinstance(error, (UserError, DeniedError)) else 1
    except KeyboardInterrupt:
        return interrupt.leave()
