"""Measure how fast a run is: photos per second over the last minute, or over the last ten photos if that is longer."""

from collections import deque
from dataclasses import dataclass, field

_WINDOW_S = 60.0
_FEWEST = 10
_SOONEST_S = 1.0


@dataclass
class Pace:
    """The rate of a run, measured from time to time.

    The time before the first photos are done (listing, starting the workers) does not count. Photos of earlier runs,
    which are found done all at once, stop counting after a minute.
    """

    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, done: int, now: float) -> None:
        """Record how many photos are done at a time in seconds."""
        marks = self._marks
        if done and (not marks or done > marks[-1][1]):
            marks.append((now, done))
        while len(marks) > 2 and now - marks[1][0] >= _WINDOW_S and done - marks[1][1] >= _FEWEST:
            marks.popleft()

    def rate(self, now: float) -> float | None:
        """Return photos per second, always above 0; None while the rate is unknown."""
        if not self._marks:
            return None
        (since, before), (_, done) = self._marks[0], self._marks[-1]
        return (done - before) / (now - since) if done > before and now - since >= _SOONEST_S else None
