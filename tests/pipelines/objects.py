"""A bucket to read from whose objects have any names, such as ``a//../b``: the emulator keeps them on a file system."""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c
import pytest

from model import google_cloud

BUCKET = "objects"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append(unquote(self.path))
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        _, _, name = url.path.partition(f"/b/{BUCKET}/o")
        if not name:
            self._answer(self.server.listing(query.get("prefix", ""), query.get("delimiter")))
        elif (data := self.server.objects.get(unquote(name[1:]))) is None:
            self.send_error(404)
        elif query.get("alt") == "media":
            self._answer(data)
        else:
            self._answer(_about(unquote(name[1:]), data))

    def _answer(self, answer: bytes | dict) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        if isinstance(answer, bytes):
            self.send_header("X-Goog-Hash", f"crc32c={_crc32c(data)}")
            self.send_header("X-Goog-Generation", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    objects: dict[str, bytes]
    requests: list[str]

    def listing(self, prefix: str, delimiter: str | None) -> dict:
        below = {name: data for name, data in sorted(self.objects.items()) if name.startswith(prefix)}
        folders = {prefix + name[len(prefix) :].partition("/")[0] + "/" for name in below if "/" in name[len(prefix) :]}
        if delimiter:
            below = {name: data for name, data in below.items() if "/" not in name[len(prefix) :]}
        items = [_about(name, data) for name, data in below.items()]
        return {"kind": "storage#objects", "items": items, "prefixes": sorted(folders) if delimiter else []}


def _about(name: str, data: bytes) -> dict:
    about = {"name": name, "bucket": BUCKET, "size": str(len(data)), "generation": "1", "crc32c": _crc32c(data)}
    return {"kind": "storage#object", **about}


def _crc32c(data: bytes) -> str:
    return b64encode(google_crc32c.Checksum(data).digest()).decode()


@contextmanager
def served(objects: dict[str, bytes], requests: list[str] | None = None) -> Iterator[str]:
    """Serves objects as Cloud Storage does, and notes the requests; gives the URI of their bucket."""
    server = _Server(("localhost", 0), _Handler)
    server.objects = objects
    server.requests = [] if requests is None else requests
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://localhost:{server.server_port}")
        google_cloud.client.cache_clear()
        yield f"gs://{BUCKET}"
    google_cloud.client.cache_clear()
    server.shutdown()
    server.server_close()
