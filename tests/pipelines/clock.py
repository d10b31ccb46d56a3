"""A clock that tests turn.

It replaces the name ``time`` in one module. To replace functions of `time` itself would reach all threads of the
process, which may sleep and look at the clock as well.
"""

from dataclasses import dataclass, field


@dataclass
class Clock:
    now: float = 100.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
