"""Ctrl-C while modules are imported, when an exception could be swallowed or printed by whoever catches it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

EXIT_CODE = 128 + signal.SIGINT
"""What a command returns that Ctrl-C ended."""
LINE = "autochrome: interrupted"
"""What such a command prints to standard error."""


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """End the process with `LINE` and `EXIT_CODE` as soon as Ctrl-C is pressed in the block.

    The block must leave nothing to clean up: ``with interrupt.at_once(): import tensorflow``. Outside the main thread,
    and where Ctrl-C has another meaning already (none at all under nohup), nothing changes.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    stderr = os.dup(2)  # `model.quiet` sends descriptor 2 elsewhere meanwhile

    def end(number: int, frame: FrameType | None) -> None:
        os.write(stderr, f"{LINE}\n".encode())
        os._exit(EXIT_CODE)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(stderr)
