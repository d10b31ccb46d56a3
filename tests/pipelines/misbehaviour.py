"""What broken decoders do, and small handlers; child processes import this module in a tenth of `hostile`'s time."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.dataset.converted import Converted


def convert(parent: object, data: bytes, *arguments: object) -> Converted:
    """Stands for `pipelines.dataset.examples.convert`."""
    misbehave(data)
    return Converted(reason="grayscale")


def misbehave(data: bytes) -> None:
    """Photos of these tests end in a word, behind what decoders look at."""
    word, _, argument = data[-200:].rpartition(b"#")[2].partition(b" ")
    if word == b"die":
        os.kill(os.getpid(), int(argument))
    elif word == b"die-first":
        times, _, name = argument.decode().partition(" ")
        deaths = Path(name)
        if not deaths.exists() or deaths.stat().st_size < int(times):
            with deaths.open("ab") as file:
                file.write(b".")
            os.kill(os.getpid(), signal.SIGSEGV)
    elif word == b"exit":
        os._exit(int(argument))
    elif word == b"spin":
        while True:
            pass
    elif word == b"sleep":
        time.sleep(3600)
    elif word == b"fill":
        held = []
        while True:
            held.append(bytearray(1 << 26))
    elif word == b"shorten":
        for file in Path("/proc/self/fd").iterdir():
            if "memfd" in str(file.readlink()):
                os.ftruncate(int(file.name), 0)
    elif word == b"bug":
        raise ZeroDivisionError("a bug")


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
