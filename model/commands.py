"""What all command lines share: a user's mistake is one line that says how to correct it, and exit code 2."""

from __future__ import annotations

import argparse
import difflib
import functools
import itertools
import math
import re
import sys
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from model import interrupt
from model.terminal import say
from tfrecords.errors import DeniedError, UserError, WorldError

_SCHEME = re.compile(r"(gs|s3|az|abfss?|file):/|[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Parser(argparse.ArgumentParser):
    """A parser whose flags must be whole words and whose errors are one line, not a usage and a line.

    Args:
        command: its name.
        usage: what follows the name.
        description: a sentence or two.
        example: a whole command line.
        paths: names of flags that are needed; their values may also be given in this order without the flags.
    """

    def __init__(self, command: str, usage: str, description: str, example: str, paths: tuple[str, ...] = ()) -> None:
        super().__init__(
            prog=f"autochrome {command}",
            usage=f"%(prog)s {usage}",
            description=description,
            epilog=f"example:\n  {example}",
            # The longest flag and its help on one line.
            formatter_class=functools.partial(argparse.RawDescriptionHelpFormatter, max_help_position=27),
            allow_abbrev=False,
            add_help=False,
        )
        self.command = command
        self.example = example
        self.paths = paths

    @property
    def flags(self) -> list[str]:
        """The long flags."""
        return [option for option in self._option_string_actions if option.startswith("--")]

    def format_help(self, *, everything: bool = False) -> str:
        """Return the help, which fits a screen; with ``everything``, also the flags whose help is `Rare`."""
        hidden = {} if everything else {one: one.help for one in self._actions if isinstance(one.help, Rare)}
        try:
            for action in hidden:
                action.help = argparse.SUPPRESS
            return super().format_help()
        finally:
            for action, text in hidden.items():
                action.help = text

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse a command line; return the values, and from the first flag on that is not known all words."""
        parsed, rest = super().parse_known_args(args, namespace)
        words = list(itertools.takewhile(lambda word: not word.startswith("-"), rest))
        missing = [name for name in self.paths if getattr(parsed, name) is None]
        # A word behind `--input` is no output, but what a shell has made of a glob.
        is_first = tuple(missing) == self.paths[: len(missing)]
        if self.paths and words and (len(words) > len(missing) or not is_first):
            extra = words[len(missing) if is_first else 0]
            raise UserError(
                f"{extra} is one path too many; if it comes from a glob, put the glob in quotes: "
                f"--{self.paths[0]} 'scans/*.jpg'"
            )
        if self.paths:
            flags = [f"--{name}={word}" for name, word in zip(missing, words, strict=False)]
            super().parse_known_args(flags, parsed)
            if lacking := [f"--{name}" for name in missing[len(words) :]]:
                self.error(f"the following arguments are required: {', '.join(lacking)}")
            rest = rest[len(words) :]
        return parsed, rest

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse a command line that must hold nothing else. Raise a `UserError` for a word that is not known."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.refuse(unknown[0])
        return parsed

    def refuse(self, word: str) -> NoReturn:
        """Raise a `UserError` for a word that is not known."""
        if not word.startswith("-"):
            raise UserError(f"{word} is neither a flag nor the value of one; for example: {self.example}")
        hint = did_you_mean(word.partition("=")[0], self.flags)
        raise UserError(f"unknown flag {word}; {hint or f'`{self.prog} --help` lists the flags'}")

    def error(self, message: str) -> NoReturn:
        """Raise a `UserError` in place of printing the usage."""
        start, _, missing = message.partition("arguments are required: ")
        if missing and start.startswith("the following"):
            raise UserError(f"{self.command} needs {' and '.join(missing.split(', '))}; for example: {self.example}")
        message = re.sub(r"^argument (-h/)?", "", message)
        message = re.sub(r": expected one argument$", " needs a value", message)
        raise UserError(re.sub(r": ignored explicit argument .*$", " takes no value", message))


class Rare(str):
    """The help of a flag that few people need: ``--help_all`` shows it, and ``--help`` does not."""

    __slots__ = ()


class _ShowAll(argparse.Action):
    """Prints the help with every flag, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        assert isinstance(parser, Parser)
        print(parser.format_help(everything=True), end="", flush=True)
        parser.exit()


def add_help(group: argparse._ArgumentGroup) -> None:
    """Add `--help` behind the other flags of a group, and `--help_all` if the parser has some that are `Rare`."""
    has_rare = any(isinstance(action.help, Rare) for action in group._actions)
    more = "; --help_all shows all flags" if has_rare else ""
    group.add_argument("-h", "--help", action="help", help=f"show this help{more}")
    if has_rare:
        group.add_argument("--help_all", action=_ShowAll, nargs=0, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return a question about the known word that is closest to a mistyped one; '' where none is close."""
    # With difflib's own cutoff of 0.6 words that mean something else are found as well.
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else ""


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a flag's type: whole numbers from `least` to `most`."""
    bounds = f"of {least} or more" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"must be a whole number {bounds}, not {text}")
        return number

    return parse


def number(what: str, holds: Callable[[float], bool]) -> Callable[[str], float]:
    """Return a flag's type: numbers for which `holds` returns True; `what` describes them in messages."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not holds(value):
            raise argparse.ArgumentTypeError(f"must be {what}, not {text}")
        return value

    return parse


def one_of(*names: str, **aliases: str) -> Callable[[str], str]:
    """Return a flag's type: one of some names, in any case; `aliases` stand for one of them."""

    def parse(text: str) -> str:
        name = text.lower()
        if name in names:
            return name
        if name in aliases:
            return aliases[name]
        raise argparse.ArgumentTypeError(f"must be {listed(names, 'or')}, not {text}")

    return parse


def listed(words: Collection[str], conjunction: str = "and") -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def has_scheme(text: str) -> bool:
    """Return whether a path begins like a URI."""
    return _SCHEME.match(text) is not None


def path(text: str) -> str:
    """Return a flag's path as it is; an argparse error if it is neither local nor in a bucket of Cloud Storage."""
    if re.match(r"gs://[^/]", text) or not has_scheme(text):
        return text
    if text.lower().startswith("gs:"):
        raise argparse.ArgumentTypeError(f"{text} is not a path in a bucket; write gs://BUCKET/PATH")
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
