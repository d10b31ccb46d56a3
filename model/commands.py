"""What all command lines share: one line for what the user can mend, and exit code 2."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from typing import NoReturn

from tfrecords.errors import UserError


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


def run(main: Callable[[], int]) -> int:
    """Return the exit code of `main`; a `UserError` becomes one line on stderr and 2, Ctrl-C becomes 130."""
    try:
        return main()
    except UserError as error:
        print(f"autochrome: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("autochrome: interrupted", file=sys.stderr)
        return 130
