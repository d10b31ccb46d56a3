"""A polite end: SIGTERM, by which schedulers and cloud machines announce that they take the machine away."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

EXIT_CODE = 128 + signal.SIGTERM
"""What a command returns that saved and ended on SIGTERM: not 0, so that a scheduler starts it again."""


@contextlib.contextmanager
def watched() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether SIGTERM has come; a second one ends the process at once.

    Signals reach the main thread only; elsewhere the function always says no.
    """
    come = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield come.is_set
        return

    def note(number: int, frame: FrameType | None) -> None:
        come.set()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield come.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
