"""Handlers of child processes that do what broken decoders do, when the photo says so; otherwise the jobs' own."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from misbehaviour import misbehave

from pipelines.archive.render import render, warm_up  # noqa: F401 (called when the process starts)
from pipelines.dataset.examples import convert
from pipelines.viewer.pictures import draw


def broken_render(parent: Any, data: bytes, *arguments: Any) -> Any:
    misbehave(data)
    return render(parent, data, *arguments)


def broken_convert(parent: Any, data: bytes, *arguments: Any) -> Any:
    misbehave(data)
    return convert(parent, data, *arguments)


def broken_draw(parent: Any, data: bytes, *arguments: Any) -> Any:
    misbehave(data)
    return draw(parent, data, *arguments)


def echo(parent: Any, data: bytes, *arguments: Any) -> tuple[int, bytes, tuple[Any, ...]]:
    """The process that handled a photo, and what it was given."""
    misbehave(data)
    return os.getpid(), data, arguments


def conversation(parent: Any, data: bytes) -> int:
    """Asks a question about each byte, gives a file for each answer, and returns their number."""
    for byte in data:
        parent.give(bytes([parent.ask(byte)]) * byte)
    return len(data)


def without_memory(parent: Any, data: bytes, size: int) -> None:
    """Raises what decoders raise who find no memory."""
    from pipelines.errors import Rejected

    try:
        bytearray(size)
    except MemoryError as error:
        raise Rejected("too_large", "it needs more memory than this machine has") from error


def modules(parent: Any, data: bytes) -> list[str]:
    """The modules that are loaded."""
    import sys

    return sorted(sys.modules)


def attributes(parent: Any, data: bytes) -> dict[str, Any]:
    """What a child process is like."""
    import cv2

    blocked: Callable[[], set[int]] = lambda: set(signal.pthread_sigmask(signal.SIG_BLOCK, []))  # noqa: E731
    return {
        "pid": os.getpid(),
        "blocked": blocked(),
        "threads": cv2.getNumThreads(),
        "oom_score_adj": int(Path("/proc/self/oom_score_adj").read_text()),
        "stdin": os.read(0, 1),
    }
