"""The lease of a colorized folder: only one run at a time writes its manifest.

    OUTPUT/manifest/lease.json      the run that has the lease; removed when the run has ended

A run creates this file, if there is none, before it writes anything else, and rewrites it at intervals. A run that
finds the lease of another run is refused. A lease that is not renewed in time has expired, and the next run takes it
over. The run that lost its lease notices this before it writes the manifest, and stops. Its photos are complete, and
any run with this model and these settings gives the same bytes.

* *Local runs*: the launching process and its workers renew the lease, which expires after 2 minutes. It is removed when
  the command ends, also by a failure or Ctrl-C. On the same machine it is valid as long as its process exists, even if
  suspended, and not longer, so nobody waits after a kill. A run on another machine waits for 2 minutes.
* *Dataflow, Flink and other clusters*: the launcher takes the lease, so that a second launch is refused at once. The
  workers of the job renew it, because the launcher may exit. It expires after 15 minutes, because machines take time to
  start. The job's last step removes it. After a job that failed or was cancelled it stays until it expires, unless the
  launcher was still there when the job ended.
* *Your own pipelines* (`pipelines.ColorizePhotos`): the job takes the lease in its first step, and its workers renew
  it. It expires after 15 minutes. In a local run it also ends with the process, or when the process has closed the
  run's workers, so that a failed pipeline can be restarted at once.
* *Templates*: there is no launcher, so the job takes the lease in its first step. Two simultaneous launches of one
  graph count as one run: give each launch its own graph, as a Flex Template does.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pipelines.archive.holder import CLUSTER_S, Holder
from pipelines.archive.manifest import FOLDER
from pipelines.files import storage, versions
from pipelines.files.versions import Version
from tfrecords.errors import LostLeaseError, UserError, WorldError

FILE = f"{FOLDER}/lease.json"
_LOOKS = 12  # per time after which a lease expires; every second look renews it
_RACES = 20
_PATIENCE_S = 2.0
# Workers of the runs in this process, and runs whose workers have ended: after a pipeline fails in a notebook, its
# lease stays behind while the process lives on.
_WORKERS: Counter[str] = Counter()
_ENDED: set[str] = set()
_LOCK = threading.Lock()


def _now() -> float:
    """Return the seconds since an arbitrary moment, including the time that the machine was asleep if possible."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(kw_only=True)
class Lease:
    """The lease of one run; each worker process has its own copy.

    Attributes:
        folder: of the manifest.
        holder: the run.
        file: of the lease, relative to the folder.
        beside: another lease that the run needs as well; it is taken, renewed and released with this one.
    """

    folder: str
    holder: Holder = field(default_factory=lambda: Holder.here(local=False))
    file: str = FILE
    beside: "Lease | None" = None
    _known: str = field(default="", init=False, repr=False)
    _looked: float = field(default=float("-inf"), init=False, repr=False)

    def __reduce__(self) -> tuple[Callable[[], "Lease"], tuple[()]]:
        # Without the times, which mean nothing in another process.
        return partial(type(self), folder=self.folder, holder=self.holder, file=self.file, beside=self.beside), ()

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.holder.run

    @property
    def uri(self) -> str:
        """The URI of the file."""
        return storage.join(self.folder, self.file)

    def take(self) -> None:
        """Take the lease, also from a run that is over; do nothing if this run already has it.

        Raises:
            UserError: another run has it, or the lease beside it.
        """
        if self.beside is None:
            self._take()
            return
        self.beside.check_free()
        self._take()
        try:
            self.beside.take()
        except UserError:
            self.release()
            raise

    def _take(self) -> None:
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
        """Check that no other run has the lease, without taking it. Raises what `take` raises."""
        if self.beside is not None:
            self.beside.check_free()
        version = versions.read(self.uri)
        if version is not None and not self._is_ours(version):
            self._check_over(version)

    def check(self) -> None:
        """Check that this run still has the lease.

        Raises:
            LostLeaseError: it does not.
        """
        self._ours()

    def keep(self) -> None:
        """Renew the lease if it is time to; otherwise this is cheap, so it may be called before each write.

        A process that was suspended looks first: a lease lasts twelve times longer than the interval between looks.

        Raises:
            LostLeaseError: another run has it.
        """
        if self.beside is not None:
            self.beside.keep()
        if _now() - self._looked < self.holder.seconds / _LOOKS:
            return
        version = self._ours()
        # If the file has changed since the last look, another process of this run has renewed it.
        if version.id == self._known:
            # If it cannot be renewed, as on a full disk, it stays valid until it expires and somebody takes it over.
            with storage.errors_ignored(WorldError):
                versions.replace(self.uri, self.holder.to_json(), version)
        self._known, self._looked = version.id, _now()

    def enter(self) -> None:
        """Count a worker of this run in this process; called when the worker starts."""
        with _LOCK:
            _WORKERS[self.run] += 1
            _ENDED.discard(self.run)

    def leave(self) -> None:
        """Uncount a worker. Without workers the run has ended, and this process may start another one."""
        with _LOCK:
            _WORKERS[self.run] -= 1
            if not _WORKERS[self.run]:
                del _WORKERS[self.run]
                _ENDED.add(self.run)

    def release(self) -> None:
        """Give up the lease; do nothing if another run has it. A lease that cannot be removed expires."""
        if self.beside is not None:
            self.beside.release()
        with storage.errors_ignored(WorldError):
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
        seconds = holder.seconds if holder else CLUSTER_S
        age = max(0.0, versions.clock(self.uri.rpartition("/")[0]) - version.changed)
        if age > seconds and not alive:
            return
        seen = f"{holder or 'unknown'}, last seen {age:.0f} s ago"
        rest = "" if alive else f"; if it crashed, the folder is free {seconds / 60:.0f} minutes later"
        raise UserError(f"{self.folder} is being written by another run ({seen}); wait for it or stop it{rest}")


@contextlib.contextmanager
def held(lease: Lease, *, local: bool, template: bool = False) -> Iterator[None]:
    """Take a lease, and renew it in the launching process while the block runs.

    Args:
        lease: of the run.
        local: whether the run ends with the block, and the lease with it; a remote job may continue.
        template: whether the block only creates a graph, for a job that takes the lease itself when it is launched.

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
        keeper.join(_PATIENCE_S)  # it may be waiting for a file system, or forever after Ctrl-C
        if local:
            lease.release()


def _keep(lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(lease.holder.seconds / _LOOKS):
        try:
            lease.keep()
        except LostLeaseError:
            return  # the workers notice this themselves
        except storage.io_errors(WorldError):
            continue  # the file system may answer the next time
