"""Decide whose fault an error is: the photo's, which is recorded, or the world's, which is retried and stops the job.

Errors are classified by type, HTTP status or errno, never by their text. Unknown errors are `PASSING`: they are retried
and then stop the job, because a photo that is rejected by mistake may never be looked at again.
"""

import contextlib
import errno
import http.client
import ssl
from enum import Enum

from model import loaded
from model.causes import in_one_line
from tfrecords.errors import WorldError


class Fault(Enum):
    """What an error from reading or listing means.

    Attributes:
        PHOTO: this one file is gone, changed, or not what was listed.
        DENIED: access was refused. This is the photo's fault if other files can still be read, else the world's.
        PASSING: the disk, the network, the store or the memory failed; a retry may succeed.
        WORLD: the file system is damaged or full, or retries were given up before; retrying does not help.
    """

    PHOTO = "photo"
    DENIED = "denied"
    PASSING = "passing"
    WORLD = "world"


_PHOTO_ERRNOS = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)
)
_DENIED_ERRNOS = frozenset((errno.EACCES, errno.EPERM))
# Checksums of the file system that do not match, damaged structures, a full or read-only disk.
_WORLD_ERRNOS = frozenset(
    (errno.EUCLEAN, errno.EBADMSG, errno.ENODATA, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
)
# Gone, replaced by another generation, or shorter than listed.
_PHOTO_STATUSES = frozenset((404, 410, 412, 416))
_PASSING_STATUSES = frozenset((408, 429))
# Reasons of Cloud Storage (https://cloud.google.com/storage/docs/json_api/v1/status-codes) and of Azure.
_KEPT = ("retentionPolicyNotMet", "objectUnderActiveHold", "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold")


def of(error: BaseException) -> Fault:
    """Classify an error from opening, reading, listing or looking up a file."""
    if isinstance(error, WorldError):
        return Fault.WORLD
    if (last := _before_giving_up(error)) is not error:
        return Fault.PASSING if last is None else of(last)
    # Before OSError: requests and ssl derive from it, with their own error numbers.
    if isinstance(error, (MemoryError, *_network_errors())):
        return Fault.PASSING
    if isinstance(error, loaded.errors("google.auth.exceptions", "GoogleAuthError")):
        return Fault.PASSING if getattr(error, "retryable", False) else Fault.DENIED
    if (status := status_of(error)) is not None:
        return _of_status(status)
    if isinstance(error, OSError):
        return _of_os_error(error)
    # The data are shorter than listed or different, or `pipelines.files.tars` found damage.
    return Fault.PHOTO if isinstance(error, (ValueError, LookupError)) else Fault.WORLD


def _network_errors() -> tuple[type[Exception], ...]:
    return (
        *(http.client.HTTPException, ssl.SSLError),
        *loaded.errors("requests.exceptions", "RequestException"),
        *loaded.errors("urllib3.exceptions", "HTTPError"),
        *loaded.errors("google.cloud.storage.exceptions", "DataCorruption"),
        *loaded.errors("google.auth.exceptions", "TransportError"),
    )


def _before_giving_up(error: BaseException) -> BaseException | None:
    """Return the last error of Google's retries, which may be unknown; any other error as it is."""
    if isinstance(error, loaded.errors("google.api_core.exceptions", "RetryError")):
        return getattr(error, "cause", None)
    return error


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of an error, or None."""
    if isinstance(error, loaded.errors("google.cloud.storage.exceptions", "InvalidResponse")):
        return int(getattr(error, "response").status_code)  # noqa: B009 (its class is not known to the type checker)
    code = getattr(error, "code", None)
    return int(code) if isinstance(code, int) and 400 <= code < 600 else None


def is_kept(error: BaseException) -> bool:
    """Return whether the error names a retention policy or a hold that keeps an object. Not every hold is named."""
    if getattr(error, "reason", None) in _KEPT:
        return True
    told = getattr(error, "errors", None)
    response = getattr(error, "response", None)
    if not told and response is not None and hasattr(response, "json"):
        with contextlib.suppress(ValueError, LookupError, TypeError):
            told = response.json()["error"]["errors"]
    return any(isinstance(one, dict) and one.get("reason") in _KEPT for one in told or ())


def _of_status(status: int) -> Fault:
    if status in _PHOTO_STATUSES:
        return Fault.PHOTO
    if status in _PASSING_STATUSES or status >= 500:
        return Fault.PASSING
    # 401 and 403; also 400, which objects with a customer-supplied encryption key return.
    return Fault.DENIED


def _of_os_error(error: OSError) -> Fault:
    if error.errno is None and error.args and isinstance(error.args[0], BaseException):
        return of(error.args[0])  # Beam wraps errors this way
    if error.errno in _PHOTO_ERRNOS or (error.errno is None and isinstance(error, FileNotFoundError)):
        return Fault.PHOTO
    if error.errno in _DENIED_ERRNOS or (error.errno is None and isinstance(error, PermissionError)):
        return Fault.DENIED
    return Fault.WORLD if error.errno in _WORLD_ERRNOS else Fault.PASSING


def is_missing(error: BaseException) -> bool:
    """Return whether an error means that a file, object or folder does not exist."""
    if isinstance(error, OSError) and not isinstance(error, _network_errors()):
        if error.errno is None and error.args and isinstance(error.args[0], BaseException):
            return is_missing(error.args[0])
        return isinstance(error, (FileNotFoundError, NotADirectoryError))
    return status_of(error) == 404


def cause(error: BaseException) -> str:
    """Return the cause of an error in one line, with the text of the operating system if there is one."""
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    if (last := _before_giving_up(error)) is not error and last is not None:
        return cause(last)
    if isinstance(error, loaded.errors("google.cloud.storage.exceptions", "InvalidResponse")):
        return f"HTTP {status_of(error)}"
    return in_one_line(error)
