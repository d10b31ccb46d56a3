"""Distinguish lack of memory from faults of a photo.

Each library reports a failed allocation in its own way. Some report nothing: their decoders fail as they do on a broken
file. ``tests/bench/memory_bench.py`` found these under 0 to 100 MB of address space, photo by photo:

    Python, numpy, Pillow      MemoryError
    Pillow's decoders          SystemError caused by MemoryError
    Pillow's encoders          OSError "out of memory when writing image file", "encoder error -9"
    OpenCV                     cv2.error "(-4:Insufficient memory)", "std::bad_alloc"
    libavif                    RuntimeError "… Out of memory"
    TensorFlow                 ResourceExhaustedError
    libjpeg (progressive), OpenJPEG, libwebp, dav1d, LERC, libjxl, libtiff in Pillow: as on a broken file; "out of
        memory when reading image file" and "decoder error -9" may mean that as well; `is_short` decides
"""

import contextlib
import errno
import mmap
from collections.abc import Iterator
from types import TracebackType

import cv2

from pipelines.errors import Rejected, Undecided

# The most that a decoder may need (OpenJPEG and its buffers): with less memory its failure may be due to that.
_MOST_BYTES_A_PIXEL, _SCARCE_BYTES = 48, 1 << 25
_WORDS = ("out of memory", "insufficient memory", "bad_alloc", "cannot allocate", "not enough memory")
_OF_ENCODERS = ("out of memory when writing", "encoder error -9")


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error, or one that it was raised from, means lack of memory."""
    return _says_so(error) or (error.__cause__ is not None and out_of_memory(error.__cause__))


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return True
    if isinstance(error, cv2.error) and getattr(error, "code", 0) == cv2.Error.StsNoMem:
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM
    if isinstance(error, (Rejected, Undecided)):
        return False  # their text may have a file's name
    text = str(error).lower()
    return any(words in text for words in (_OF_ENCODERS if isinstance(error, OSError) else _WORDS))


def is_short(needed: int) -> bool:
    """Return whether this process cannot have `needed` more bytes of memory at present."""
    try:
        mmap.mmap(-1, max(1, needed), flags=mmap.MAP_PRIVATE).close()
    except (OSError, MemoryError, OverflowError):
        return True
    return False


@contextlib.contextmanager
def told_from_lack(width: int, height: int) -> Iterator[None]:
    """Raise MemoryError if the block fails and there is less memory than decoders may need for such a picture."""
    try:
        yield
    except Rejected:
        raise
    except Exception as error:
        if is_short(_SCARCE_BYTES + _MOST_BYTES_A_PIXEL * width * height):
            raise MemoryError(f"{type(error).__name__}: {error}") from error
        raise


class suppressed(contextlib.suppress):  # noqa: N801 (used as contextlib.suppress is)
    """Like `contextlib.suppress`, but does not suppress errors that mean lack of memory.

    Scarce memory must not change the result, such as a photo without its profile, or on its side.
    """

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Suppress the error if it is of the given kinds and not about memory."""
        return (error is None or not out_of_memory(error)) and super().__exit__(kind, error, trace)
