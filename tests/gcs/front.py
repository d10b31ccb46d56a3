"""A proxy in front of Cloud Storage's stand-in, where requests fail as ``faults.Faults`` decides.

Clients reach it by STORAGE_EMULATOR_HOST. TensorFlow, whose gs:// knows no other hosts than Google's, takes it for an
HTTPS proxy (``https_proxy``) and, if it trusts its certificate (CURL_CA_BUNDLE), for those hosts.
"""

import json
import re
import socket
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from answers import Answer
from faults import CUT_DOWNLOAD, CUT_UPLOAD, LOST_ANSWER, SLOW, STATUSES, Faults
from store import Store

SLOW_S = 0.1
TOKENS = "/token"
"""Where service accounts log in."""


class Front(ThreadingHTTPServer):
    """The proxy.

    Args:
        emulator: its address, ``http://localhost:1234``.
        faults: that clients meet.
        context: to speak TLS with.
        page: how many objects a listing has at most.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, emulator: str, faults: Faults, context: ssl.SSLContext, page: int = 1000) -> None:
        super().__init__(("localhost", 0), _Handler)
        self.faults = faults
        self.context = context
        self.store = Store(emulator, page)

    @property
    def address(self) -> str:
        """Of the proxy, as URL."""
        return f"http://localhost:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def _handle(self) -> None:
        if self.path == TOKENS:
            self._send_token()
            return
        if self.server.faults.needs_login and "Authorization" not in self.headers:
            self._body()
            self._send(Answer.error(401))
            return
        fault = self._fault()
        if fault == CUT_UPLOAD:
            size = int(self.rfile.readline(), 16) if self._is_chunked() else int(self.headers["Content-Length"])
            self.server.store.keep_part(self.path, self.rfile.read(size // 2), self._told())
            self._cut(fault)
            return
        body = self._body()
        if fault.isdigit():
            self.server.faults.injected[fault] += 1
            self._send(Answer.error(int(fault)))
            return
        if fault == SLOW:
            self.server.faults.injected[fault] += 1
            time.sleep(SLOW_S)
        is_upload = self.path.startswith("/upload/")
        if is_upload:
            self.server.faults.gate.wait()
        answer = self.server.store.ask(self.command, self.path, body, self._told())
        if is_upload and answer.status == 200 and answer.body:
            self.server.faults.gate.passed()
        if fault == LOST_ANSWER:
            self._cut(fault)
        elif fault == CUT_DOWNLOAD and len(answer.body) > 1 and answer.status in (200, 206):
            self._send(answer, len(answer.body) // 2)
            self._cut(fault)
        else:
            self._send(answer)

    def _send_token(self) -> None:
        self._body()
        status = self.server.faults.token
        told = {"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}
        if status != 200:
            told = {"error": "invalid_grant", "error_description": "Account has been deleted"}
        self._send(Answer(status, json.dumps(told).encode(), {"Content-Type": "application/json"}))

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _is_chunked(self) -> bool:
        # curl frames what TensorFlow sends, and tells its length as well.
        return "chunked" in self.headers.get("Transfer-Encoding", "")

    def _told(self) -> dict[str, str]:
        return {key.lower(): value for key, value in self.headers.items()}

    def _fault(self) -> str:
        length = int(self.headers.get("Content-Length") or 0)
        kinds = [*STATUSES, SLOW]
        if self.command == "GET":
            kinds += [CUT_DOWNLOAD] * 2 if "/o/" in self.path or not self.path.startswith("/storage/") else []
        else:
            kinds += [LOST_ANSWER] * 4
            kinds += [CUT_UPLOAD] * 4 if length > 1 else []
        span = self.headers.get("Range") or self.headers.get("Content-Range") or ""
        # Without what differs from run to run.
        path = re.sub(r"upload_id=[^&]*|eneration(Match)?=\d{9,}", "", self.path)
        # After a fault TensorFlow waits up to a second, whatever it is told.
        share = 0.5 if isinstance(self.connection, ssl.SSLSocket) else 1.0
        return self.server.faults.next(f"{self.command} {path} {span}", self.command, kinds, share)

    def _body(self) -> bytes:
        if not self._is_chunked():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().strip(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, answer: Answer, length: int | None = None) -> None:
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            secure = key == "Location" and isinstance(self.connection, ssl.SSLSocket)
            self.send_header(key, value.replace("http://", "https://", 1) if secure else value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:length])

    def _cut(self, fault: str) -> None:
        self.server.faults.injected[fault] += 1
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
