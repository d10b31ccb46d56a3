"""How fast a run is: photos a second over the last minute, or over the last ten photos where these take longer."""

from collections import deque
from dataclasses import dataclass, field

_WINDOW_S = 60.0
_FEWEST = 10
_SOONEST_S = 1.0


@dataclass
class Pace:
    """The rate of a run that is looked at now and then.

    What comes before the first photos are done, listing and the start of the workers, is not part of the rate. Neither
    are, after a minute, photos of earlier runs, which are found done all at once.
    """

    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, done: int, now: float) -> None:
        """Notes how many photos are done at a time in seconds."""
        marks = self._marks
        if done and (not marks or done > marks[-1][1]):
            marks.append((now, done))
        while len(marks) > 2 and now - marks[1][0] >= _WINDOW_S and done - marks[1][1] >= _FEWEST:
            marks.popleft()

    def rate(self, now: float) -> float | None:
        """Returns photos a second, always above 0; None as long as that cannot be told."""
        if not self._marks:
            return None
        (since, before), (_, done) = self._marks[0], self._marks[-1]
        return (done - before) / (now - since) if done > before and now - since >= _SOONEST_S else None
