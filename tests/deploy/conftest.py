"""A local server that takes jobs as the Dataflow service does, and stand-ins for programs."""

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

JOB_ID = "2026-01-01_00_00_00-1"


@dataclass
class Dataflow:
    """The service: where it listens, what it was sent, and what it answers."""

    endpoint: str = ""
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    status: int = 200


def _handler(service: Dataflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.posted.append((self.path.partition("?")[0], body))
            job = {"id": JOB_ID, "name": json.loads(body)["name"], "currentState": "JOB_STATE_DONE"}
            refusal = {"error": {"code": service.status, "message": "There is an active job of this name"}}
            answer = json.dumps(job if service.status == 200 else refusal).encode()
            self.send_response(service.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


@pytest.fixture
def dataflow() -> Iterator[Dataflow]:
    service = Dataflow()
    with ThreadingHTTPServer(("localhost", 0), _handler(service)) as server:
        service.endpoint = f"http://localhost:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield service
        server.shutdown()


@pytest.fixture(scope="session")
def shellcheck() -> Callable[..., None]:
    """The function that runs shellcheck with arguments, and shell text for its standard input; findings are errors."""
    program = str(Path(sys.executable).with_name("shellcheck"))

    def check(*arguments: str, text: str | None = None) -> None:
        done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return check


@pytest.fixture
def stand_in(tmp_path) -> Callable[[str, str], dict[str, str]]:
    """The function that puts a shell script in the place of a program: (name, body) -> environment to run with."""

    def put(name: str, body: str) -> dict[str, str]:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
        return {"PATH": f"{path.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}

    return put


@pytest.fixture(scope="module")
def launch(repository):
    """The module deploy/dataflow/launch.py."""
    spec = importlib.util.spec_from_file_location("launch", repository / "deploy" / "dataflow" / "launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
