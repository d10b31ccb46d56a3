"""How many photos a local run processes at a time, found in the flags without importing Beam, which takes a second."""

import itertools
import os
from collections.abc import Sequence

_WORKERS, _MODE, _RUNNER = "--direct_num_workers", "--direct_running_mode", "--runner"


def number(flags: Sequence[str]) -> int:
    """Return the number of threads: 1 if Beam runs several workers, else the number that is given, or of cores.

    Args:
        flags: Beam's, as on the command line.
    """
    if is_mode_given(flags):
        return 1
    given = _value(_WORKERS, flags)
    return int(given) if given.isdecimal() and int(given) else cores()


def is_mode_given(flags: Sequence[str]) -> bool:
    """Return whether Beam's way to run several workers is given."""
    return _value(_MODE, flags) != ""


def is_number_given(flags: Sequence[str]) -> bool:
    """Return whether the number of workers is given."""
    return _value(_WORKERS, flags) != ""


def is_one_process(flags: Sequence[str]) -> bool:
    """Return whether the photos are sure to be processed by threads of this process."""
    return not is_mode_given(flags) and _value(_RUNNER, flags) == ""


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _value(name: str, flags: Sequence[str]) -> str:
    """Return the last value of a flag, or ''."""
    found = ""
    for flag, following in itertools.pairwise([*flags, ""]):
        before, equals, after = flag.partition("=")
        if before == name:
            found = after if equals else following
    return found
