"""Workers as Beam's worker pool starts them beside a Flink task manager: one process each, to be killed at will."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_POLL_S = 0.05
_START_S = 120.0


class WorkerPool:
    """A pool that listens on a free port of this machine; a context that leaves no process behind.

    Attributes:
        flags: of Beam, for a job whose workers are to come from this pool.
    """

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.flags = ("--environment_type=EXTERNAL", f"--environment_config=localhost:{self._port}")
        command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={self._port}"]
        # The pool calls its workers' interpreter just `python`.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._process = subprocess.Popen(
            command, env={**os.environ, "PATH": path}, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return self
            time.sleep(_POLL_S)
        self.close()
        raise RuntimeError(f"the worker pool does not listen on port {self._port}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """SIGKILL for the pool and its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def workers(self) -> list[int]:
        """Ids of the worker processes that live."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
        return [pid for pid in children if _alive(pid)]

    def kill_one(self) -> int:
        """SIGKILL for the worker with the most work behind it; its id."""
        victim = max(self.workers(), key=_cpu_ticks)
        os.kill(victim, signal.SIGKILL)
        return victim


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return _stat(pid)[0] != "Z"
    return False


def _cpu_ticks(pid: int) -> int:
    return sum(int(ticks) for ticks in _stat(pid)[11:13])
