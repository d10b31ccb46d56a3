"""The lease of a folder of sidecars: only the runs of one output write into it at a time.

    SIDECARS/manifest/lease-1a2b3c4d5e6f7a8b.json                    the run that has it; removed when the run has ended
    SIDECARS/manifest/lease-1a2b3c4d5e6f7a8b-00003-of-00008.json     likewise, of a partition

Sidecars have the names of photos, so two runs into two outputs would replace each other's. The digits are a hash of the
output: its partitions may share a folder, because no photo is in two of them. Two runs of one output never get here,
because the output has a lease of its own. An output is known by its path, in which links are followed.

Two runs that start at the same moment both see each other. The one whose lease comes first by name then waits until the
other one has given up, so that one of them wins.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.archive import chroma_file, partitions, run_list
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import FOLDER
from pipelines.files import storage, versions
from pipelines.files.hashes import stable_hash
from pipelines.files.listings import Branch
from pipelines.files.sources import files
from pipelines.runtime.partition import WHOLE
from tfrecords.errors import UserError

_NAME = re.compile(r"lease-(?P<output>[0-9a-f]{16})(?:-\d{5,}-of-\d{5,})?\.json\Z")
_PATIENCE_S = 5.0
_LOOK_S = 0.1


@dataclass(kw_only=True)
class SidecarLease(Lease):
    """The lease of one run on its folder of sidecars."""

    def take(self) -> None:
        """Take the lease, unless a run of another output has one.

        Raises:
            UserError: another run has a lease.
        """
        if self._is_held():
            return
        super().take()
        patience = time.monotonic() + _PATIENCE_S
        while others := dict(self._others()):
            if min(others) < self.file or time.monotonic() > patience:
                self.release()
                raise next(iter(others.values()))
            time.sleep(_LOOK_S)

    def check_free(self) -> None:
        """Check that no run of another output has a lease. Raises what `Lease.take` raises."""
        if self._is_held():
            return
        super().check_free()
        for _, error in self._others():
            raise error

    def _is_held(self) -> bool:
        version = versions.read(self.uri)
        return version is not None and self._is_ours(version)

    def _others(self) -> Iterator[tuple[str, UserError]]:
        """Yield the lease of each run of another output, and its error; remove the leases of runs that are over."""
        for name in storage.names(storage.join(self.folder, FOLDER)):
            found = _NAME.match(name)
            if found is None or found["output"] in self.file:
                continue
            other = Lease(folder=self.folder, holder=self.holder, file=f"{FOLDER}/{name}")
            version = versions.read(other.uri)
            try:
                other.check_free()
            except UserError as error:
                yield other.file, UserError(f"--sidecar {error}, or choose another folder for sidecars")
                continue
            if version is not None:
                versions.remove(other.uri, version)


def of(folder: str, state: str, holder: Holder) -> SidecarLease | None:
    """Return the lease that a run needs for its sidecars.

    Args:
        folder: of the sidecars; '' if there is none of its own.
        state: the folder of the run's manifest.
        holder: the run.
    """
    if not folder:
        return None
    output = stable_hash(storage.normalized(partitions.base_of(state))).hex()
    part = partitions.of_folder(state)
    more = "" if part == WHOLE else f"-{part.index:05d}-of-{part.total:05d}"
    return SidecarLease(folder=folder, holder=holder, file=f"{FOLDER}/lease-{output}{more}.json")


def check_earlier(folder: str, state: str) -> None:
    """Check that a folder has no sidecars of another output, which a run would replace.

    Args:
        folder: of the sidecars; '' if there is none of its own.
        state: the folder of the records of all partitions of the output.

    Raises:
        UserError: there are sidecars, and no earlier run into this output wrote any into this folder.
    """
    first = next(_sidecars(folder), "") if folder else ""
    if first and not any(_is_same(folder, one) for one in _folders_of(state)):
        raise UserError(
            f"--sidecar {folder} has sidecars of another output, such as {first}; choose another folder for sidecars"
        )


def _sidecars(folder: str) -> Iterator[str]:
    root = folder.rstrip("/") or "/"
    found = files(Branch(path=folder), root)
    return (file.name for file in found if file.name.endswith(chroma_file.ENDING) and not file.fault)


def _folders_of(state: str) -> Iterator[str]:
    """Yield the folders of sidecars of all earlier runs into an output."""
    for one in (state, *(partitions.folder_of(state, part) for part in partitions.there(state))):
        with contextlib.suppress(UserError):  # a damaged list, which the run itself reports
            for run in run_list.known(one):
                yield str((run.get("settings") or {}).get("sidecar") or "")


def _is_same(folder: str, recorded: str) -> bool:
    """Return whether a recorded folder may be this one: a relative path or a moved folder keeps its last name."""
    ends = {one.rstrip("/").rpartition("/")[2] for one in (folder, recorded)}
    return bool(recorded) and (len(ends) == 1 or storage.normalized(folder) == storage.normalized(recorded))
