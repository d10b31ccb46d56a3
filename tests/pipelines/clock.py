"""A clock that tests turn.

It replaces the name ``time`` in one module. To replace functions of `time` itself would reach all modules. Threads that
earlier tests started in the module, such as one that watches, keep the real time.
"""

import threading
import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """The time of the thread that makes it."""

    now: float = 100.0
    pauses: list[float] = field(default_factory=list)
    _thread: int = field(default_factory=threading.get_ident)

    def monotonic(self) -> float:
        return self.now if threading.get_ident() == self._thread else time.monotonic()

    def sleep(self, seconds: float) -> None:
        if threading.get_ident() != self._thread:
            time.sleep(seconds)
            return
        self.pauses.append(seconds)
        self.now += seconds
