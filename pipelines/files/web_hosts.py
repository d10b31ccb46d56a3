"""Good manners towards a host on the web: few requests at once, pauses, ``Retry-After``, and ``robots.txt``.

The limits hold for each process. Two workers on two machines make twice as many requests.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from protego import Protego

AGENT = "autochrome"
AT_ONCE = 2
LEAST_DELAY = 0.1
"""Seconds between the beginnings of two requests to one host."""
_LONGEST_DELAY = 60.0


class Host:
    """What this process knows about one host.

    Attributes:
        origin: scheme, name and port.
        fault: why its photos are not requested any more; '' while they are.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.fault = ""
        self._delivered: deque[str] = deque(maxlen=2)
        self._free = threading.Semaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._next = 0.0
        self._delay = LEAST_DELAY
        self._rules: Protego | None = None

    def note(self, url: str) -> None:
        """Remember that the host delivered a URL."""
        with self._lock:
            if url not in self._delivered:
                self._delivered.append(url)

    def delivered(self, besides: str = "") -> str:
        """Return a URL that the host delivered lately, one other than ``besides`` if there is one; '' for none."""
        with self._lock:
            latest = self._delivered[-1] if self._delivered else ""
            return next((url for url in reversed(self._delivered) if url != besides), latest)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may begin; the block is the request."""
        with self._free:
            with self._lock:
                begin = max(time.monotonic(), self._next)
                self._next = begin + self._delay
            time.sleep(max(0.0, begin - time.monotonic()))
            yield

    def hold(self, seconds: float) -> None:
        """Let no request begin for some time, because the host asked for it."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def allows(self, url: str, ask: Callable[[str], tuple[int, str]]) -> bool:
        """Return whether ``robots.txt`` allows to request a URL.

        Args:
            url: of this host.
            ask: requests ``robots.txt``, once a host; returns its status and text.
        """
        with self._asking:
            if self._rules is None:
                self._rules = self._read(*ask(f"{self.origin}/robots.txt"))
        return bool(self._rules.can_fetch(url, AGENT))

    def _read(self, status: int, text: str) -> "Protego":
        from protego import Protego  # takes 35 ms, which jobs without photos on the web need not wait for

        # As RFC 9309 says: a file that is missing, or that nobody may read, forbids nothing.
        rules = Protego.parse(text.removeprefix("\ufeff") if status == 200 else "")
        with self._lock:
            self._delay = min(_LONGEST_DELAY, max(LEAST_DELAY, float(rules.crawl_delay(AGENT) or 0)))
        return rules


@cache
def host_of(origin: str) -> Host:
    """Return the one object of this process for a host."""
    return Host(origin)


def origin_of(url: str) -> str:
    """Return scheme, name and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def seconds_of(retry_after: str | None) -> float:
    """Return how long a host wants to be left alone, from its header ``Retry-After``; 0 if it does not say."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
