"""What broken decoders do; a module that child processes import at once."""

import os
import signal
import time
from pathlib import Path

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
