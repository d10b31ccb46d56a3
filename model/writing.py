"""Writing into folders of training: what keeps it from it, such as a full disk, is one line that names the place."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from model import causes, loaded
from tfrecords.errors import DeniedError, OutageError

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """Name `path` if the block cannot write it; TensorFlow is not imported.

    Raises:
        DeniedError: it may not be written.
        OutageError: the disk is full, or the disk or the bucket fails.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, (OSError, *loaded.errors(causes.TENSORFLOW, "OpError"))):
            raise
        denied = isinstance(error, loaded.errors(causes.TENSORFLOW, "PermissionDeniedError", "UnauthenticatedError"))
        what = f"{path} cannot be written ({causes.of_file(error)})"
        if denied or getattr(error, "errno", None) in _DENIED:
            raise DeniedError(f"{what}; allow it, then start the same command again") from error
        raise OutageError(f"{what}; start the same command again when it can") from error
