"""The run that has the lease of a folder, as the file of the lease describes it, and whether it is still alive."""

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

LOCAL_S = 120.0
"""Seconds after which the lease of a local run expires."""
_NONCE = "written"
CLUSTER_S = 900.0
"""The same for a run on a cluster, where machines take time to start, and for one that may be on a cluster."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A run that has a lease.

    Attributes:
        run: an id that no other run has; hex.
        host: the machine that launched it.
        pid: the process that launched it; None if the run continues without that process.
        process: distinguishes that process from later ones with the same pid; "" if this is not possible.
        since: when it was launched, ISO 8601.
        seconds: after which the lease expires if it is not renewed.
    """

    run: str
    host: str
    pid: int | None
    process: str
    since: str
    seconds: float

    @classmethod
    def here(cls, *, local: bool) -> Self:
        """Describe a new run that this process launches."""
        pid = os.getpid() if local else None
        since = datetime.now(UTC).isoformat(timespec="seconds")
        seconds = LOCAL_S if local else CLUSTER_S
        return cls(
            run=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=pid,
            process=_process(pid) if pid else "",
            since=since,
            seconds=seconds,
        )

    @classmethod
    def unwatched(cls, *, local: bool) -> Self:
        """Describe a new run, in the user's own pipeline, whose lease only its workers renew."""
        return replace(cls.here(local=local), seconds=CLUSTER_S)

    @classmethod
    def from_json(cls, data: bytes) -> Self | None:
        """Return the holder that `to_json` wrote; None for anything else."""
        try:
            told = json.loads(data)
            told.pop(_NONCE, None)
            return cls(**told)
        except (ValueError, TypeError, AttributeError):
            return None

    def to_json(self) -> bytes:
        """Return the bytes of the file, which are different each time: an ETag changes only if the bytes do."""
        return (json.dumps({**asdict(self), _NONCE: uuid.uuid4().hex}, indent=2) + "\n").encode()

    def is_alive(self) -> bool | None:
        """Return whether its process is alive; None if this cannot be known from here."""
        machine = _machine()
        if not self.pid or not machine or not self.process.startswith(machine):
            return None
        return _process(self.pid) == self.process

    def __str__(self) -> str:
        who = f"process {self.pid} on {self.host}" if self.pid else f"a job launched on {self.host}"
        return f"{who}, since {self.since}"


def _machine() -> str:
    """Return an id of this machine, boot and container, within which process numbers are unique; "" if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')} "  # noqa: PTH115 (no path)
    except OSError:
        return ""


def _process(pid: int) -> str:
    """Return an id of a living process: its machine and start time; "" if there is no such process, or no id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = fields[0], fields[19]
    return "" if state in "ZX" or not _machine() else f"{_machine()}{started}"
