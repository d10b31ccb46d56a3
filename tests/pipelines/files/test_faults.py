import errno
import http.client
import io
import os
import ssl
import tarfile

import pytest
import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from pipelines.files import faults, tars
from pipelines.files.faults import Fault
from tfrecords.errors import DeniedError, OutageError

PHOTO = ("ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EILSEQ", "EINVAL")
DENIED = ("EACCES", "EPERM")
WORLD = ("EUCLEAN", "EBADMSG", "ENODATA", "ENOSPC", "EDQUOT", "EROFS", "EFBIG")


def response(status: int) -> InvalidResponse:
    answer = requests.Response()
    answer.status_code = status
    return InvalidResponse(answer, "refused")


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_error_number_has_one_class_and_only_a_few_are_the_photos(number):
    name = errno.errorcode[number]
    expected = {
        **dict.fromkeys(PHOTO, Fault.PHOTO),
        **dict.fromkeys(DENIED, Fault.DENIED),
        **dict.fromkeys(WORLD, Fault.WORLD),
    }.get(name, Fault.PASSING)
    error = OSError(number, os.strerror(number), "/photos/a.jpg")
    assert faults.of(error) is expected
    # As Beam hands it on.
    assert faults.of(OSError(error)) is expected
    assert faults.cause(error) == os.strerror(number)


@pytest.mark.parametrize(
    "name",
    ["EIO", "EMFILE", "ENFILE", "ESTALE", "ENOMEM", "ETIMEDOUT", "EAGAIN", "ENOTCONN", "EHOSTDOWN", "EREMOTEIO"],
)
def test_what_may_pass_is_never_a_photos_fault(name):
    assert faults.of(OSError(getattr(errno, name), name)) is Fault.PASSING


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_one_class(status):
    expected = Fault.PASSING if status >= 500 or status in (408, 429) else Fault.DENIED
    expected = Fault.PHOTO if status in (404, 410, 412, 416) else expected
    error = api.from_http_status(status, "no")
    assert faults.of(error) is expected
    assert faults.of(response(status)) is expected
    assert faults.of(api.RetryError("gave up", error)) is expected
    assert faults.is_missing(error) == (status == 404)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), Fault.PASSING),
        (TimeoutError("timed out"), Fault.PASSING),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Fault.PASSING),
        (BlockingIOError(errno.EAGAIN, "again"), Fault.PASSING),
        # OpenSSL's error numbers are not those of the system: 1 is EPERM there.
        (ssl.SSLError(1, "bad record"), Fault.PASSING),
        (requests.ConnectionError("refused"), Fault.PASSING),
        (requests.exceptions.ChunkedEncodingError("cut"), Fault.PASSING),
        (urllib3.exceptions.ProtocolError("cut"), Fault.PASSING),
        (http.client.IncompleteRead(b""), Fault.PASSING),
        (DataCorruption(None, "wrong checksum"), Fault.PASSING),
        (auth.TransportError("no route"), Fault.PASSING),
        (auth.RefreshError("busy", retryable=True), Fault.PASSING),
        (auth.RefreshError("invalid_grant"), Fault.DENIED),
        (auth.DefaultCredentialsError("none"), Fault.DENIED),
        (api.RetryError("gave up", None), Fault.PASSING),
        (FileNotFoundError("no number"), Fault.PHOTO),
        (PermissionError("no number"), Fault.DENIED),
        (ValueError("the file ends 3 bytes before"), Fault.PHOTO),
        (tars.BrokenTarError("x.tar is truncated"), Fault.PHOTO),
        (OutageError("gs://b does not answer"), Fault.WORLD),
        (DeniedError("gs://b: denied"), Fault.WORLD),
        (TypeError("a mistake of the program"), Fault.WORLD),
    ],
    ids=repr,
)
def test_other_errors(error, expected):
    assert faults.of(error) is expected


def test_what_is_missing():
    assert faults.is_missing(FileNotFoundError(errno.ENOENT, "no"))
    assert faults.is_missing(NotADirectoryError(errno.ENOTDIR, "no"))
    for error in (OSError(errno.EIO, "no"), PermissionError(errno.EACCES, "no"), ValueError("no")):
        assert not faults.is_missing(error)


def test_a_damaged_tar_is_the_photos_fault():
    with pytest.raises(tars.BrokenTarError) as raised:
        list(tars.members(io.BytesIO(b"x" * 2 * tarfile.BLOCKSIZE)))
    assert faults.of(raised.value) is Fault.PHOTO


@pytest.mark.parametrize("error", [OSError(), ValueError("one\ntwo"), api.Forbidden("no access"), MemoryError()])
def test_a_cause_is_one_line(error):
    assert faults.cause(error)
    assert "\n" not in faults.cause(error)
