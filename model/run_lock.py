"""One process at a time trains into a folder: two would write over each other's checkpoints, log and model."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from tfrecords.errors import UserError
from tfrecords.uris import is_remote


@contextlib.contextmanager
def held(output: str, *, chief: bool = True) -> Iterator[None]:
    """Make the folder of a run, and keep other processes from training into it for the block.

    The system ends the lock with the process, however that ends. Buckets, and disks that know no locks, are not
    protected. A new folder that is empty at the end of the block is removed.

    Args:
        output: training folder.
        chief: whether this process writes; others take no lock.

    Raises:
        UserError: another process trains into the folder, or it cannot be made.
    """
    if not chief or is_remote(output):
        yield
        return
    is_new = not Path(output).exists()
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
        folder = os.open(output, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UserError(f"output {output} cannot be written: {error.strerror or error}") from error
    if not os.access(output, os.W_OK):
        os.close(folder)
        raise UserError(f"output {output} may not be written; allow it, or choose another --output")
    try:
        _lock(folder, output)
        yield
    finally:
        if is_new:
            with contextlib.suppress(OSError):  # not empty
                Path(output).rmdir()
        os.close(folder)


def _lock(folder: int, output: str) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(
            f"another training run writes to {output} now; wait until it ends, or choose another --output"
        ) from error
    except OSError:  # such as NFS, where folders cannot be locked
        pass
