"""A temporary file to which all threads and processes of a run append."""

import os


def append(path: str, data: bytes) -> None:
    """Append to a file; what several threads and processes append is never mixed.

    The file must exist: a thread that is still at work when the run has removed its file must not bring it back.

    Args:
        path: of a local file.
        data: a few bytes, which are written in one call.

    Raises:
        OSError: the file has been removed, or the process has no free file descriptor.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
