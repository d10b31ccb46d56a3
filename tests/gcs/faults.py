"""What goes wrong between a client and its bucket, by a seed: the same requests meet the same faults in any order."""

import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

STATUSES = ("429", "500", "502", "503", "504")
SLOW = "slow"
CUT_DOWNLOAD = "cut in mid-download"
CUT_UPLOAD = "cut in mid-upload"
LOST_ANSWER = "answer lost"
"""What was asked for is done, and the connection cut before the answer."""

_IN_A_ROW = 2


@dataclass
class _Refusal:
    requests: re.Pattern[str]
    status: str
    first: int
    times: int


class Gate:
    """Lets some uploads through and holds the next, so that a process can be killed in the middle of its work."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._changed = threading.Condition()
        self._is_held = False

    def shut_after(self, uploads: int) -> None:
        """Shuts it after `uploads` more uploads."""
        with self._changed:
            self._left, self._is_held = uploads, False

    def is_held(self) -> bool:
        """Whether an upload waits."""
        return self._is_held

    def open(self) -> None:
        """Lets all through."""
        with self._changed:
            self._left, self._is_held = None, False
            self._changed.notify_all()

    def passed(self) -> None:
        """Counts an upload that succeeded."""
        with self._changed:
            if self._left:
                self._left -= 1

    def wait(self) -> None:
        """Returns as soon as an upload may pass."""
        with self._changed:
            self._is_held |= self._left == 0
            self._changed.wait_for(lambda: self._left != 0)


class Faults:
    """Decides which requests fail and how.

    Attributes:
        rate: of the requests that fail, 0 to 1; none fails more than twice in a row.
        injected: how many faults of each kind there were; who injects one counts it.
        requests: how many requests there were, those that failed included.
        gate: where uploads wait, once it is shut.
        needs_login: whether requests without a token are answered with 401.
        token: the status with which a token is refused to those who log in; 200 to give one.
    """

    def __init__(self, seed: int, rate: float) -> None:
        self.rate = rate
        self.injected: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.gate = Gate()
        self.needs_login = False
        self.token = 200
        self._refused: list[_Refusal] = []
        self._seed = seed
        self._asked: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self._lock = threading.Lock()

    def refuse(self, requests: str, status: int, first: int = 0, times: int = 1 << 30) -> None:
        """Answers some requests with a status.

        Args:
            requests: what they ask for, as `next` has it; a regular expression.
            status: of HTTP.
            first: how many of them pass before.
            times: how many are refused then.
        """
        with self._lock:
            self._refused.append(_Refusal(re.compile(requests), str(status), first, times))

    def allow(self) -> None:
        """Refuses nothing any more."""
        with self._lock:
            self._refused.clear()

    def _refusal(self, request: str) -> str:
        for refusal in self._refused:
            if refusal.requests.search(request):
                refusal.first -= 1
                if refusal.first < 0 and refusal.times > 0:
                    refusal.times -= 1
                    return refusal.status
        return ""

    def next(self, request: str, method: str, kinds: Sequence[str], share: float = 1.0) -> str:
        """The fault that a request meets, '' for none.

        Args:
            request: what it asks for; the same request again is another case.
            method: of HTTP.
            kinds: that it can meet.
            share: of the rate.
        """
        with self._lock:
            self.requests[method] += 1
            if refused := self._refusal(request):
                return refused
            self._asked[request] += 1
            told = blake2b(f"{self._seed} {request} {self._asked[request]}".encode(), digest_size=8).digest()
            drawn = int.from_bytes(told) / 2**64
            rate = share * self.rate
            if drawn >= rate or self._in_a_row[request] >= _IN_A_ROW:
                self._in_a_row[request] = 0
                return ""
            self._in_a_row[request] += 1
            return kinds[int(drawn / rate * len(kinds))]
