"""The lease of a colorized folder: one run at a time writes its manifest.

    OUTPUT/manifest/lease.json      who holds it; gone when the run has ended

A run creates the file before it writes anything else, where there is none, and writes it again every now and then. One
that finds the lease of another run is refused. A lease that was not renewed for its time has expired, and the next run
takes it over; a run whose lease was taken over notices that before it writes the manifest, and stops. Its photos do no
harm: they are whole, and have the bytes that any run with this model and these settings gives them.

* *Local runs*: the launching process and its workers renew the lease, which expires after 2 minutes. It is removed when
  the command ends, also by a failure or Ctrl-C. Seen from the same machine it lasts as long as its process, even a
  suspended one, so that nobody waits after a kill. A run on another machine, or after a restart, waits for 2 minutes.
* *Dataflow, Flink and other clusters*: the launcher takes the lease, so that a second launch is refused at once, and
  the workers of the job renew it, as the launcher may leave. It expires after 15 minutes, as machines take some to
  start. The job's last step removes it. It stays behind a job that failed or was cancelled until it expires, unless the
  launcher was there to see the job end.
* *Pipelines of the user's own* (`pipelines.ColorizePhotos`): the job takes the lease in its first step, and its workers
  renew it. It expires after 15 minutes. In a local run it also ends with the process, or when the process has closed
  the run's workers, so that a pipeline that failed can be started again at once.
* *Templates*: there is no launcher, so the job takes the lease in its first step. A graph that is launched twice at
  once is one run to the lease: give each launch a graph of its own, as a Flex Template does.
"""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pipelines.archive.manifest import FOLDER
from pipelines.files import storage, versions
from pipelines.files.versions import Version
from tfrecords.errors import LostLeaseError, UserError, WorldError

FILE = f"{FOLDER}/lease.json"
_LOCAL_S = 120.0
_CLUSTER_S = 900.0
_LOOKS = 12  # in the time after which a lease expires; it is renewed at every other one
_RACES = 20
_PATIENCE_S = 2.0
# Runs of this process by their workers, and those whose workers have ended: a pipeline that failed in a notebook leaves
# its lease behind, and the process lives on.
_WORKERS: Counter[str] = Counter()
_ENDED: set[str] = set()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Holder:
    """Who holds a lease, as it stands in the file.

    Attributes:
        run: a number of the run that no other one has; hex.
        host: the machine that launched it.
        pid: the process that launched it; None where the run goes on without that.
        process: tells that process from later ones of that number; "" where nothing does.
        since: when it was launched, ISO 8601.
        seconds: after which it expires unless it is renewed.
    """

    run: str
    host: str
    pid: int | None
    process: str
    since: str
    seconds: float

    @classmethod
    def here(cls, *, local: bool) -> Self:
        """Describes a new run that this process launches."""
        pid = os.getpid() if local else None
        since = datetime.now(UTC).isoformat(timespec="seconds")
        seconds = _LOCAL_S if local else _CLUSTER_S
        return cls(uuid.uuid4().hex, socket.gethostname(), pid, _process(pid) if pid else "", since, seconds)

    @classmethod
    def unwatched(cls, *, local: bool) -> Self:
        """Describe a new run that nobody but its workers will keep alive, in a pipeline of the user's own."""
        return replace(cls.here(local=local), seconds=_CLUSTER_S)

    @classmethod
    def from_json(cls, data: bytes) -> Self | None:
        """The inverse of ``to_json``; None for anything else."""
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError):
            return None

    def to_json(self) -> bytes:
        """Returns the file's bytes."""
        return (json.dumps(asdict(self), indent=2) + "\n").encode()

    def is_alive(self) -> bool | None:
        """Returns whether its process lives; None where that cannot be told from here."""
        machine = _machine()
        if not self.pid or not machine or not self.process.startswith(machine):
            return None
        return _process(self.pid) == self.process

    def __str__(self) -> str:
        who = f"process {self.pid} on {self.host}" if self.pid else f"a job launched on {self.host}"
        return f"{who}, since {self.since}"


def _now() -> float:
    """Seconds from any moment, those that the machine was asleep included where it can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _machine() -> str:
    """What tells machines, their starts and containers apart, so that process numbers mean the same; "" if nothing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')} "  # noqa: PTH115 (no path)
    except OSError:
        return ""


def _process(pid: int) -> str:
    """What a living process has for itself: its machine and its start; "" where there is none, or nothing tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = fields[0], fields[19]
    return "" if state in "ZX" or not _machine() else f"{_machine()}{started}"


@dataclass
class Lease:
    """The lease of one run; each worker process has a copy of its own.

    Attributes:
        folder: that holds the manifest.
        holder: the run.
    """

    folder: str
    holder: Holder = field(default_factory=lambda: Holder.here(local=False))
    _known: str = field(default="", init=False, repr=False)
    _looked: float = field(default=float("-inf"), init=False, repr=False)

    def __reduce__(self) -> tuple[type["Lease"], tuple[str, Holder]]:
        # Without the times, which mean nothing in another process.
        return Lease, (self.folder, self.holder)

    @property
    def run(self) -> str:
        """The run's number."""
        return self.holder.run

    @property
    def uri(self) -> str:
        """The file."""
        return storage.join(self.folder, FILE)

    def take(self) -> None:
        """Takes the lease, from a run that is over as well; does nothing where this run has it.

        Raises:
            UserError: another run has it.
        """
        for _ in range(_RACES):
            version = versions.read(self.uri)
            if version is None:
                if storage.create(self.uri, self.holder.to_json()):
                    return
                continue
            if self._is_ours(version):
                return
            self._check_over(version)
            versions.replace(self.uri, self.holder.to_json(), version)
        raise UserError(f"other runs keep changing {self.uri}; start one run at a time")

    def check_free(self) -> None:
        """Makes sure that no other run has the lease, without taking it. Raises what ``take`` raises."""
        version = versions.read(self.uri)
        if version is not None and not self._is_ours(version):
            self._check_over(version)

    def check(self) -> None:
        """Makes sure that this run still has the lease.

        Raises:
            LostLeaseError: it has not.
        """
        self._ours()

    def keep(self) -> None:
        """Renews the lease when it is time to; cheap when it is not, so that it may be called before each write.

        A process that was suspended looks first: a lease lasts twelve times longer than what this relies on.

        Raises:
            LostLeaseError: another run has it.
        """
        if _now() - self._looked < self.holder.seconds / _LOOKS:
            return
        version = self._ours()
        # What has changed since the last look was renewed by another process of this run.
        if version.id == self._known:
            # One that cannot be renewed, as on a full disk, is this run's until it expires and somebody takes it over.
            with contextlib.suppress(*storage.IO_ERRORS, WorldError):
                versions.replace(self.uri, self.holder.to_json(), version)
        self._known, self._looked = version.id, _now()

    def enter(self) -> None:
        """Count a worker of this run in this process; called when the worker starts."""
        with _LOCK:
            _WORKERS[self.run] += 1
            _ENDED.discard(self.run)

    def leave(self) -> None:
        """Take a worker back. Without workers the run has ended, and this process may start another one."""
        with _LOCK:
            _WORKERS[self.run] -= 1
            if not _WORKERS[self.run]:
                del _WORKERS[self.run]
                _ENDED.add(self.run)

    def release(self) -> None:
        """Gives the lease up; does nothing where another run has it. One that cannot be removed expires."""
        with contextlib.suppress(*storage.IO_ERRORS, WorldError):
            version = versions.read(self.uri)
            if version is not None and self._is_ours(version):
                versions.remove(self.uri, version)

    def _ours(self) -> Version:
        version = versions.read(self.uri)
        if version is None or not self._is_ours(version):
            taker = Holder.from_json(version.data) if version else None
            raise LostLeaseError(
                f"another run took over {self.folder} ({taker or 'it has ended'}), as this one was silent for "
                f"{self.holder.seconds / 60:.0f} minutes; nothing is lost: start this one again when that one has ended"
            )
        return version

    def _is_ours(self, version: Version) -> bool:
        holder = Holder.from_json(version.data)
        return holder is not None and holder.run == self.run

    def _check_over(self, version: Version) -> None:
        holder = Holder.from_json(version.data)
        alive = holder.is_alive() if holder else None
        if alive is False or (holder and holder.run in _ENDED):
            return
        seconds = holder.seconds if holder else _CLUSTER_S
        age = max(0.0, versions.clock(storage.join(self.folder, FOLDER)) - version.changed)
        if age > seconds and not alive:
            return
        seen = f"{holder or 'unknown'}, last seen {age:.0f} s ago"
        rest = "" if alive else f"; if it crashed, the folder is free {seconds / 60:.0f} minutes later"
        raise UserError(f"{self.folder} is being written by another run ({seen}); wait for it or stop it{rest}")


@contextlib.contextmanager
def held(lease: Lease, *, local: bool, template: bool = False) -> Iterator[None]:
    """Takes a lease and renews it in the launching process while the block runs.

    Args:
        lease: of the run.
        local: whether the run ends with the block, and the lease with it; the job of a cluster may go on.
        template: whether the block only makes a graph, for a job that takes the lease itself when it is launched.

    Raises:
        UserError: another run has it.
    """
    if template:
        lease.check_free()
        yield
        return
    lease.take()
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, ended), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join(_PATIENCE_S)  # it may wait for a file system, or for ever after Ctrl-C
        if local:
            lease.release()


def _keep(lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(lease.holder.seconds / _LOOKS):
        try:
            lease.keep()
        except LostLeaseError:
            return  # the workers notice it themselves
        except (*storage.IO_ERRORS, WorldError):
            continue  # the file system may answer the next time
