"""A proxy in front of a store, where requests fail as ``faults.Faults`` decides; the store itself is a real server."""

import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from answers import Answer
from faults import CUT_DOWNLOAD, CUT_UPLOAD, LOST_ANSWER, SLOW, STATUSES, Faults

SLOW_S = 0.05
# What the client chooses by chance, or what differs from run to run: the same requests meet the same faults.
_BY_CHANCE = re.compile(r"(continuation-token|marker|blockid|uploadId|sig|se|st)=[^&]*|/photos-\d+")


class Relay(ThreadingHTTPServer):
    """The proxy.

    Args:
        server: address of the store.
        faults: that clients meet.
        error: returns an answer with a status, as the store words it.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, server: str, faults: Faults, error: Callable[[int], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = urlsplit(server).netloc
        self.faults = faults
        self.error = error
        self.ignored: tuple[str, ...] = ("Expect", "Connection")
        """Headers that do not reach the store."""
        self.headers: list[Message] = []
        """Of all requests so far."""

    @property
    def address(self) -> str:
        """Of the proxy, as URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def running(server: str, faults: Faults, error: Callable[[int], Answer]) -> Iterator[Relay]:
    """Runs a proxy."""
    relay = Relay(server, faults, error)
    threading.Thread(target=relay.serve_forever, args=(0.05,), daemon=True).start()
    yield relay
    relay.shutdown()
    relay.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay

    def _handle(self) -> None:
        faults = self.server.faults
        self.server.headers.append(self.headers)
        if faults.needs_login and "Authorization" not in self.headers:
            self._body()
            self._send(self.server.error(403))
            return
        fault = faults.next(self._request(), self.command, self._kinds())
        if fault == CUT_UPLOAD:
            self.rfile.read(int(self.headers["Content-Length"]) // 2)
            self._cut(fault)
            return
        body = self._body()
        if fault.isdigit():
            faults.injected[fault] += 1
            self._send(self.server.error(int(fault)))
            return
        if fault == SLOW:
            faults.injected[fault] += 1
            time.sleep(SLOW_S)
        if self.command == "PUT":
            faults.gate.wait()
        answer = self._asked(body)
        if self.command == "PUT" and answer.status in (200, 201):
            faults.gate.passed()
        if fault == LOST_ANSWER:
            self._cut(fault)
        elif fault == CUT_DOWNLOAD and len(answer.body) > 1 and answer.status in (200, 206):
            self._send(answer, len(answer.body) // 2)
            self._cut(fault)
        else:
            self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 (the names of the base class)

    def _request(self) -> str:
        return f"{self.command} {_BY_CHANCE.sub('', self.path)} {self.headers.get('Range', '')}"

    def _kinds(self) -> list[str]:
        kinds = [*STATUSES, SLOW]
        if self.command == "GET":
            return [*kinds, *[CUT_DOWNLOAD] * 3]
        if self.command in ("PUT", "POST", "DELETE"):
            kinds += [LOST_ANSWER] * 4
            kinds += [CUT_UPLOAD] * 4 if int(self.headers.get("Content-Length") or 0) > 1 else []
        return kinds

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _asked(self, body: bytes) -> Answer:
        connection = HTTPConnection(self.server.host)
        headers = {key: value for key, value in self.headers.items() if key not in self.server.ignored}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.read(), dict(response.getheaders()))
        connection.close()
        return answer

    def _send(self, answer: Answer, length: int | None = None) -> None:
        self.send_response(answer.status)
        is_head = self.command == "HEAD"
        for key, value in answer.headers.items():
            if key.lower() not in ("connection", "transfer-encoding", "date", "server", "content-length"):
                self.send_header(key, value)
        size = answer.headers.get("Content-Length", answer.headers.get("content-length", "0"))
        self.send_header("Content-Length", size if is_head else str(len(answer.body)))
        self.end_headers()
        if not is_head:
            self.wfile.write(answer.body[:length])

    def _cut(self, fault: str) -> None:
        self.server.faults.injected[fault] += 1
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
