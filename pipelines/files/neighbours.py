"""Remember files that were read before, to decide whether one file has a fault or all of them have.

A photo that is gone or forbidden is at fault itself only if other files can be opened at the same moment. If none can,
the folder was unmounted, or the job lost its rights.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from tfrecords.words import counted

_REMEMBERED = 4
_FEW = 5
_SHARE = 0.01


class Neighbours:
    """What one process knows about the files on its disks or in a bucket."""

    def __init__(self, opens: Callable[[str], bool], beside: Callable[[str], Iterable[str]]) -> None:
        """Start without any known files.

        Args:
            opens: returns whether a file can be opened and read at this moment; raises nothing.
            beside: returns files from the folder of a file that may be readable; raises nothing.
        """
        self._opens = opens
        self._beside = beside
        self._lock = threading.Lock()
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._number_read = 0
        self._refused: set[str] = set()

    def was_read(self, path: str) -> None:
        """Record that a file was read."""
        with self._lock:
            self._number_read += 1
            if path not in self._recent:
                self._recent.append(path)

    def can_be_read(self, path: str) -> bool:
        """Return whether some other file can be opened and read at this moment."""
        with self._lock:
            known = list(reversed(self._recent))
        return any(self._opens(other) for other in known if other != path) or any(
            self._opens(other) for other in self._beside(path) if other != path
        )

    def is_one_of_few(self, path: str) -> bool:
        """Record that access to a file is refused; return whether this can still be the fault of single files.

        It cannot if more than five files of this process, and more than one in a hundred, are refused.
        """
        with self._lock:
            self._refused.add(path)
            return len(self._refused) <= max(_FEW, _SHARE * self._met)

    @property
    def refused(self) -> str:
        """How many files are refused, for messages: ``3 of 20 files``."""
        return f"{len(self._refused):,} of {counted(self._met, 'file')}"

    @property
    def _met(self) -> int:
        return self._number_read + len(self._refused)
