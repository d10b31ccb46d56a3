"""The limits of one photo: memory, processor time and wall time, by the size of its file.

The kernel enforces all three on the process that handles the photo, in C code too, without a thread or a timer here.
A file under 1 MB takes at most 2.5 GB and 30 seconds of processor time, or is rejected. Larger files are allowed far
more than was measured: a photo of 179 megapixels, the most that is accepted, takes 0.9 GB (grey JPEG of 26 MB), 3.2 GB
(WebP of 10 MB) or 5.9 GB (16-bit TIFF of 970 MB), and 6 to 41 seconds.
"""

import contextlib
import math
import resource
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_PIXELS = 178_956_970
"""Of a page, unless the user allows more: Pillow's own hard limit, about 13,400 pixels square."""
_SMALL = 1_000_000
_MEMORY = 2250 << 20
# For what is decoded, up to the most pixels that a photo may have, and for the file itself.
_PER_BYTE, _MOST_DECODED, _COPIES = 400, 4 << 30, 2
_SECONDS_OF_SMALL = 30
# Long enough for 2 gigapixels of small pages.
_SECONDS, _SECONDS_PER_MEGABYTE, _MOST_SECONDS = 60, 40, 1200
_WALL_SECONDS, _WALL_PER_PROCESSOR_SECOND = 600, 4


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of one photo.

    Attributes:
        memory: bytes of address space on top of those of the process at rest.
        processor: seconds of processor time.
        wall: seconds, not counting time spent waiting for the parent; generous, because it only stops hangs.
    """

    memory: int
    processor: int
    wall: int

    @classmethod
    def of(cls, size: int, *, most_pixels: int = MOST_PIXELS, seconds: int = 0) -> "Limits":
        """Return the limits of a file.

        Args:
            size: of the file in bytes.
            most_pixels: that the user allows to a page. Memory grows with it beyond MOST_PIXELS.
            seconds: of processor time that the user allows; 0 for what is usual for such a file.
        """
        memory, processor = _MEMORY, _SECONDS_OF_SMALL
        if size >= _SMALL:
            memory += min(_PER_BYTE * (size - _SMALL), _MOST_DECODED) + _COPIES * size
            processor = math.ceil(min(_SECONDS + _SECONDS_PER_MEGABYTE * size / 1e6, _MOST_SECONDS))
        memory = math.ceil(memory * max(1.0, most_pixels / MOST_PIXELS))
        processor = seconds or processor
        return cls(memory=memory, processor=processor, wall=max(_WALL_SECONDS, _WALL_PER_PROCESSOR_SECOND * processor))


@contextlib.contextmanager
def enforced(limits: Limits, at_rest: int) -> Iterator[None]:
    """Hold this process to the limits while the block runs.

    Beyond the memory, allocations fail. Beyond the processor time the process dies of SIGXCPU, and beyond the wall time
    of SIGALRM.

    Args:
        limits: of the photo.
        at_rest: `address_space` of the process before its first photo.
    """
    used = math.ceil(time.process_time())
    with _lowered(resource.RLIMIT_AS, at_rest + limits.memory), _lowered(resource.RLIMIT_CPU, used + limits.processor):
        signal.setitimer(signal.ITIMER_REAL, limits.wall)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def _lowered(kind: int, wanted: int) -> Iterator[None]:
    before = soft, hard = resource.getrlimit(kind)
    for present in (soft, hard):
        if present != resource.RLIM_INFINITY:
            wanted = min(wanted, present)
    resource.setrlimit(kind, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Stop the wall clock while the block waits for another process."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)


def address_space() -> int:
    """Return the size of this process's address space in bytes; 0 if the system does not report it."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0


def is_memory_there(limits: Limits) -> bool:
    """Return whether the machine has the memory that a photo may use; if so, a lack of memory is due to the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY and hard < address_space() + limits.memory:
        return False
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10 >= limits.memory
    return True
