"""Format numbers and names of things."""

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Return a number of things: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first(names: Sequence[str], most: int, number: int = 0) -> str:
    """Return the first of many names: ``a, b and 1,000 more``.

    Args:
        names: all of them, or at least the first ones.
        most: how many are named.
        number: of all names, if `names` has only some of them.
    """
    others = max(number, len(names)) - min(most, len(names))
    return ", ".join(names[:most]) + (f" and {others:,} more" if others else "")
