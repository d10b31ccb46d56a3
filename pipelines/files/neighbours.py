"""Files that were read before: they tell whether one file has a fault or all of them have.

A photo that cannot be opened because it is gone, or because access to it is refused, is the photo's fault only if other
files can be opened at that moment. If none can, the folder was unmounted, or the rights of the job are lost.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

_REMEMBERED = 4
_FEW = 5
_SHARE = 0.01


class Neighbours:
    """What one process knows of the files of its disks or of a bucket."""

    def __init__(self, opens: Callable[[str], bool], beside: Callable[[str], Iterable[str]]) -> None:
        """Begins with nothing known.

        Args:
            opens: whether a file can be opened and read at this moment; raises nothing.
            beside: finds files that may be opened in the folder of one; raises nothing.
        """
        self._opens = opens
        self._beside = beside
        self._lock = threading.Lock()
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._number_read = 0
        self._refused: set[str] = set()

    def was_read(self, path: str) -> None:
        """Notes that a file was read."""
        with self._lock:
            self._number_read += 1
            if path not in self._recent:
                self._recent.append(path)

    def can_be_read(self, path: str) -> bool:
        """Returns whether some file other than this one can be opened and read at this moment."""
        with self._lock:
            known = list(reversed(self._recent))
        return any(self._opens(other) for other in known if other != path) or any(
            self._opens(other) for other in self._beside(path) if other != path
        )

    def is_one_of_few(self, path: str) -> bool:
        """Notes that access to a file is refused; returns whether that can still be the fault of single files.

        It cannot where more than five files of this process, and more than one in a hundred, are refused.
        """
        with self._lock:
            self._refused.add(path)
            return len(self._refused) <= max(_FEW, _SHARE * self._met)

    @property
    def refused(self) -> str:
        """How many files are refused, in words."""
        return f"{len(self._refused):,} of {self._met:,} files"

    @property
    def _met(self) -> int:
        return self._number_read + len(self._refused)
