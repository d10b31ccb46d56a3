"""A polite end on Ctrl-C, and on SIGTERM, by which schedulers announce that they take the machine away."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SAID = b"\nautochrome: saving a checkpoint; Ctrl-C again quits at once\n"


class Watch:
    """Whether a signal has come.

    Attributes:
        signal: its number; 0 as long as none has come.
    """

    signal = 0

    def __call__(self) -> bool:
        """Tell whether one has come."""
        return self.signal != 0

    @property
    def exit_code(self) -> int:
        """The exit code after saving on a signal: not 0, so that a scheduler starts the command again."""
        return 128 + self.signal


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Yield what tells whether SIGTERM or Ctrl-C has come; a second one ends the process at once.

    Signals reach the main thread only: elsewhere none ever comes. One that is ignored, as Ctrl-C is under nohup, is so
    still.
    """
    watch = Watch()
    if threading.current_thread() is not threading.main_thread():
        yield watch
        return

    def note(number: int, frame: FrameType | None) -> None:
        if watch():
            os._exit(128 + number)
        watch.signal = number
        if number == signal.SIGINT:
            os.write(2, _SAID)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, note)
    try:
        yield watch
    finally:
        for number in heard:
            signal.signal(number, before[number])
