"""Divide the names of a flat folder into ranges, so that many workers list it at once.

A bucket gives names in order, 1,000 at a time. Nobody knows beforehand how 10 million names are spread, so they are
looked for: all names of a range that begin with ``scan_0`` end before ``scan_1``, and one request finds the name that
follows. A range whose names do not fit into one page is divided further, by the next character in which they differ.
The ranges cover every possible name, whatever is written or removed meanwhile.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace

_ENOUGH = 256
_DIVIDED_AT_ONCE = 8  # as many connections as the libraries keep
_CHARACTERS = 128
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Span:
    """The names after ``after``, up to and including ``to``; '' is the end of the folder."""

    after: str
    to: str = ""

    def has(self, name: str) -> bool:
        """Return whether a name that comes after ``after`` is in the range."""
        return not self.to or name <= self.to


Ask = Callable[[str, int], tuple[list[str], bool]]
"""Return the first ``n`` names after a name (0: a page of them), and whether there are more."""


def spans(whole: Span, ask: Ask) -> list[Span]:
    """Divide a range; return its parts in order.

    Args:
        whole: the range.
        ask: lists names; called in several threads.
    """
    divided, waiting = [whole], [whole]
    with ThreadPoolExecutor(_DIVIDED_AT_ONCE) as pool:
        while waiting and len(divided) < _ENOUGH:
            now, waiting = waiting[:_DIVIDED_AT_ONCE], waiting[_DIVIDED_AT_ONCE:]
            # Each call keeps the caller's context, which may want refusals at once (`pipelines.files.cloud.at_launch`).
            under_way = [(span, pool.submit(copy_context().run, _parts, span, ask)) for span in now]
            for span, parts in under_way:
                found = parts.result()
                at = divided.index(span)
                divided[at : at + 1] = found
                waiting += found if len(found) > 1 else []
    return divided


def _parts(span: Span, ask: Ask) -> list[Span]:
    """Return the parts of a range by the next character of its names; the range itself if they fit into a page."""
    names, more = ask(span.after, 0)
    if not more or not names or not span.has(names[-1]):
        return [span]
    shared = _shared(span, os.path.commonprefix([names[0], names[-1]]), ask)  # noqa: RUF071 (of characters)
    parts: list[Span] = []
    name, rest = names[0], span
    while len(parts) < _CHARACTERS and (end := _end(name, shared)) and end != span.to and span.has(end):
        following = next(filter(span.has, ask(end, 1)[0]), "")
        if not following:
            break
        parts.append(replace(rest, to=end))
        rest, name = replace(rest, after=end), following
        if not name.startswith(shared):
            break
    return [*parts, rest]


def _shared(span: Span, beginning: str, ask: Ask) -> str:
    """Return how much of a beginning all names of a range have, if the first ones have it."""
    known, beyond = 0, len(beginning) + 1
    while known + 1 < beyond:
        middle = (known + beyond) // 2
        end = _following(beginning[:middle])
        if end and any(map(span.has, ask(end, 1)[0])):
            beyond = middle
        else:
            known = middle
    return beginning[:known]


def _end(name: str, shared: str) -> str:
    """Return the end of the names that begin as a name does, one character behind what all share; '' for none."""
    return name if name == shared else _following(name[: len(shared) + 1])


def _following(beginning: str) -> str:
    """Return a text that comes after all names with a beginning, and before any other; '' if there is none."""
    beginning = beginning.rstrip(_LAST)
    if not beginning:
        return ""
    code = ord(beginning[-1]) + 1
    return beginning[:-1] + chr(0xE000 if code == 0xD800 else code)
