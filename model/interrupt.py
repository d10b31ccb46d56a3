"""Ctrl-C: what a command prints, its exit code, and how it ends while modules are imported or threads are at work."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, TextIO

EXIT_CODE = 128 + signal.SIGINT
"""What a command returns that Ctrl-C ended."""
LINE = "autochrome: interrupted"
"""What such a command prints to standard error."""
_stderr: TextIO | None = None


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """End the process with `LINE` and `EXIT_CODE` as soon as Ctrl-C is pressed in the block.

    It is for imports, where an exception could be swallowed or printed by whoever catches it; the block must leave
    nothing to clean up: ``with interrupt.at_once(): import tensorflow``. Outside the main thread,
    and where Ctrl-C has another meaning already (none at all under nohup), nothing changes.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    stderr = os.dup(2)  # `model.quiet` sends descriptor 2 elsewhere meanwhile

    def end(number: int, frame: FrameType | None) -> NoReturn:
        os.write(stderr, f"{LINE}\n".encode())
        os._exit(EXIT_CODE)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(stderr)


def impatient() -> None:
    """Have the next Ctrl-C end the process at once, whatever it is doing."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(EXIT_CODE))


def speak_on(descriptor: int) -> None:
    """Have `leave` print to a file descriptor in place of standard error, which others may still use."""
    global _stderr
    _stderr = os.fdopen(descriptor, "w")


def leave() -> int:
    """Print `LINE` and return `EXIT_CODE`; end the process where Python would wait for other threads."""
    impatient()
    print(LINE, file=_stderr or sys.stderr, flush=True)
    if threading.active_count() > 1:
        sys.stdout.flush()
        os._exit(EXIT_CODE)
    return EXIT_CODE
