"""A web server of photos whose answers a test decides."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipelines.files import patience, web, web_hosts

Answer = tuple[int, bytes, dict[str, str]]


class Site(ThreadingHTTPServer):
    """What the server has and was asked for.

    Attributes:
        pages: content by path, or a function of the number of earlier requests that returns the whole answer.
        asked: requests by method and path.
        most: the most requests that were answered at once.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes | Callable[[int], Answer]] = {}
        self.asked: Counter[str] = Counter()
        self.most = self.now = 0
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def _answer(self) -> None:
        site = self.server
        key = f"{self.command} {self.path}"
        with site.lock:
            before = site.asked[key]
            site.asked[key] += 1
            site.now += 1
            site.most = max(site.most, site.now)
        page = site.pages.get(self.path)
        if callable(page):
            status, data, headers = page(before)
        else:
            status, data = (404, b"") if page is None else (200, page)
            headers = {"ETag": f'"{hash(data)}"'}
        length = headers.pop("Content-Length", str(len(data)))
        if (span := self.headers.get("Range")) and status == 200:
            first, _, last = span.removeprefix("bytes=").partition("-")
            status, data = 206, data[int(first) : int(last) + 1]
            length = str(len(data))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)
        if int(length) > len(data):
            self.close_connection = True
        with site.lock:
            site.now -= 1

    do_GET = do_HEAD = _answer  # noqa: N815 (the names that the base class looks for)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def site() -> Iterator[Site]:
    """Serves pages to clients that wait a hundredth of the usual time."""
    server = Site()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "FIRST_PAUSE", 0.01)
        patch.setattr(patience, "LONGEST_PAUSE", 0.05)
        patch.setattr(web, "SECONDS", 0.6)
        patch.setattr(web, "_ANSWERED", set())
        patch.setattr(web_hosts, "LEAST_DELAY", 0.0)
        web_hosts.host_of.cache_clear()
        yield server
    web_hosts.host_of.cache_clear()
    server.shutdown()
    server.server_close()
