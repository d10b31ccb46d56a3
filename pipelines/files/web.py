"""Read photos from the web: plain HTTP(S) URLs, and images of IIIF servers.

A photo that is gone (404, 410) is missing; one that its host still refuses to deliver after minutes of asking too often
(429) is throttled. Other failures are retried. If they last, the photo is at fault while its host delivers others, and
the job stops if it does not. A host that never answered is given up if others do.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from model import loaded
from pipelines.errors import Rejected
from pipelines.files import faults, patience
from pipelines.files.patience import Attempts
from pipelines.files.web_hosts import AGENT, Host, host_of, origin_of, seconds_of
from tfrecords.errors import OutageError
from tfrecords.words import counted

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
SECONDS = 120.0
"""Total time of all attempts at one URL."""
_TIMEOUT = (10, 60)
_LARGEST = 4 << 30
_CHUNK = 1 << 20
_INFO = "/info.json"
_NO_HEAD = (400, 403, 405, 501)
_GONE = (404, 410)
_local = threading.local()


class HttpError(ValueError):
    """A host answered with an error status.

    Attributes:
        code: the status.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"HTTP {code}")
        self.code = code


class NowhereError(Exception):
    """A redirect leads to what is not a URL, or goes round in circles."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a host says about a URL.

    Attributes:
        uri: to read, which differs from a URL of IIIF's ``info.json``.
        size: in bytes; 0 if the host does not say.
        tag: changes with the content: the ETag, else the time of change; '' if the host says neither.
    """

    uri: str
    size: int
    tag: str


def is_url(uri: str) -> bool:
    """Return whether a URI is read from the web."""
    return uri[:8].lower().startswith(("http://", "https://"))


def path_of(url: str) -> str:
    """Return the path of a URL, without its query.

    Raises:
        Rejected: ``unreadable``: it is not a valid URL.
    """
    import requests  # as below

    try:
        requests.PreparedRequest().prepare_url(url, None)
        return urlsplit(url).path
    except ValueError as error:
        raise Rejected("unreadable", f"{url} is not a valid URL ({faults.cause(error)})") from error


def look_up(url: str) -> Page:
    """Ask a host about a photo without reading it.

    Raises:
        Rejected: ``missing``, ``disallowed``, ``throttled`` or ``unreadable``.
        OutageError: the host does not answer, and neither do others.
    """
    if url.endswith(_INFO):
        url = _patiently(url, lambda host: _image_of(host, url))
    return _patiently(url, lambda host: _described(host, url))


def read(url: str) -> bytes:
    """Return the bytes behind a URL. Raises what `look_up` raises, and Rejected ``too_large``."""
    return _patiently(url, lambda host: _body(host, url, {}))


def read_range(url: str, start: int, size: int) -> bytes:
    """Return bytes from the middle. Raises what `read` raises."""

    def part(host: Host) -> bytes:
        with _answer(host, "GET", url, {"Range": f"bytes={start}-{start + size - 1}"}) as response:
            data = _content(response, url)
            return data if response.status_code == 206 else data[start : start + size]

    return _patiently(url, part)


def _session() -> requests.Session:
    """Return the session of this thread; sessions are not made to be shared."""
    session: requests.Session | None = getattr(_local, "session", None)
    if session is None:
        import requests  # slow, and few lists name URLs

        session = _local.session = requests.Session()
        session.headers.update({"User-Agent": f"{AGENT}/{version(AGENT)}", "Accept-Encoding": "identity"})
    return session


@contextlib.contextmanager
def _answer(host: Host, method: str, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
    """Make one request in its turn, which lasts until its body is read; an error status becomes an HttpError."""
    with host.turn(), _requested(method, url, headers) as response:
        if response.status_code >= 400:
            _note_pause(host, url, response)
            raise HttpError(response.status_code)
        yield response


def _requested(method: str, url: str, headers: dict[str, str]) -> requests.Response:
    try:
        return _session().request(method, url, headers=headers, stream=True, timeout=_TIMEOUT)
    except ValueError as error:
        raise NowhereError(faults.cause(error)) from error
    except loaded.errors("requests.exceptions", "TooManyRedirects") as error:
        raise NowhereError(faults.cause(error)) from error


def _note_pause(host: Host, url: str, response: requests.Response) -> None:
    """Leave a host alone as long as it asks for; if that is too long, raise Rejected ``throttled``."""
    pause = seconds_of(response.headers.get("Retry-After"))
    if pause > SECONDS:
        told = f"{url}: HTTP {response.status_code}, to be asked again in {counted(round(pause), 'second')}"
        raise Rejected("throttled", told)
    if pause:
        host.hold(pause)


def _described(host: Host, url: str) -> Page:
    try:
        with _answer(host, "HEAD", url, {}) as response:
            return _page(url, response)
    except HttpError as error:
        if error.code not in _NO_HEAD:
            raise
    with _answer(host, "GET", url, {}) as response:  # a host that answers GET only; its body is not read
        return _page(url, response)


def _page(url: str, response: requests.Response) -> Page:
    told = response.headers
    tag = told.get("ETag") or told.get("Last-Modified") or ""
    size = told.get("Content-Length", "")
    return Page(uri=url, size=int(size) if size.isdecimal() else 0, tag=tag)


def _image_of(host: Host, url: str) -> str:
    """Return the URL of the whole image that an ``info.json`` of IIIF describes."""
    try:
        info = json.loads(_body(host, url, {"Accept": "application/json"}))
        context, place = str(info["@context"]), str(info.get("id") or info["@id"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        if isinstance(error, HttpError):
            raise
        raise Rejected("unreadable", f"{url} is not the info.json of an IIIF image") from error
    size = "max" if "image/3" in context else "full"
    return f"{place.rstrip('/')}/full/{size}/0/default.jpg"


def _body(host: Host, url: str, headers: dict[str, str]) -> bytes:
    with _answer(host, "GET", url, headers) as response:
        return _content(response, url)


def _content(response: requests.Response, url: str) -> bytes:
    data = bytearray()
    for chunk in response.iter_content(_CHUNK):
        data += chunk
        if len(data) > _LARGEST:
            raise Rejected("too_large", f"{url} has more than {_LARGEST >> 30} GiB")
    return bytes(data)


def _patiently(url: str, work: Callable[[Host], T]) -> T:
    """Make the requests for one URL, and decide whose fault it is if they fail."""
    path_of(url)
    host = host_of(origin_of(url))
    if host.fault:
        raise Rejected("unreadable", f"{url}: {host.fault}")
    try:
        with Attempts(host.origin, "does not answer", SECONDS, patience.is_passing) as attempts:
            if not host.allows(url, lambda robots: attempts.retry(_robots)(host, robots)):
                raise Rejected("disallowed", f"{host.origin}/robots.txt does not allow {url}")
            done: T = attempts.retry(work)(host)
    except HttpError as error:
        if error.code in _GONE:
            raise Rejected("missing", f"{url}: HTTP {error.code}") from error
        raise Rejected("unreadable", f"{url}: HTTP {error.code}") from error
    except NowhereError as error:
        raise Rejected("unreadable", f"{url} redirects to where nothing can be read ({error})") from error
    except loaded.errors("google.api_core.exceptions", "RetryError") as error:
        raise _lasting(host, url, getattr(error, "cause", None) or error) from error
    _ANSWERED.add(host)
    host.note(url)
    return done


_ANSWERED = set[Host]()


def _robots(host: Host, url: str) -> tuple[int, str]:
    try:
        return 200, _body(host, url, {}).decode("utf-8", "replace")
    except HttpError as error:
        if error.code in (408, 429) or error.code >= 500:
            raise
        return error.code, ""


def _lasting(host: Host, url: str, cause: BaseException) -> Exception:
    """Return the error for a failure that lasted: a Rejected if it is the photo's, or the fault of its host alone."""
    told = f"{_told(cause)} for {patience.in_words(SECONDS)}"
    if faults.status_of(cause) == 429:
        return Rejected("throttled", f"{url}: {told}")
    if host.delivered():
        # If it delivered nothing else yet, it answers as long as it tells about this photo.
        if _answers(host, besides=url):
            return Rejected("unreadable", f"{url}: {told}")
    elif any(_answers(other) for other in tuple(_ANSWERED)):
        host.fault = f"{host.origin} does not answer ({told})"
        return Rejected("unreadable", f"{url}: {host.fault}")
    return OutageError(f"{host.origin} does not answer ({told}); start again later")


def _told(cause: BaseException) -> str:
    if isinstance(cause, loaded.errors("requests.exceptions", "ChunkedEncodingError")):
        return "the download ends early"
    if isinstance(cause, loaded.errors("requests.exceptions", "ContentDecodingError")):
        return "its compression is damaged"
    return faults.cause(cause)


def _answers(host: Host, besides: str = "") -> bool:
    """Return whether a host still delivers what it delivered."""
    try:
        _described(host, host.delivered(besides))
    except (HttpError, Rejected, NowhereError):
        return False
    except loaded.errors("requests.exceptions", "RequestException"):
        return False
    return True
