"""The lease of a folder of sidecars: only the runs of one output write into it at a time.

    SIDECARS/manifest/lease-1a2b3c4d5e6f7a8b.json                    the run that has it; removed when the run has ended
    SIDECARS/manifest/lease-1a2b3c4d5e6f7a8b-00003-of-00008.json     likewise, of a partition

Sidecars have the names of photos, so two runs into two outputs would replace each other's. The digits are a hash of the
output: its partitions may share a folder, because no photo is in two of them. Two runs of one output never get here,
because the output has a lease of its own.
"""

import re
from dataclasses import dataclass

from pipelines.archive import partitions
from pipelines.archive.holder import Holder
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import FOLDER
from pipelines.files import storage, versions
from pipelines.files.hashes import stable_hash
from pipelines.runtime.partition import WHOLE
from tfrecords.errors import UserError

_NAME = re.compile(r"lease-(?P<output>[0-9a-f]{16})(?:-\d{5,}-of-\d{5,})?\.json\Z")


@dataclass(kw_only=True)
class SidecarLease(Lease):
    """The lease of one run on its folder of sidecars."""

    def take(self) -> None:
        """Take the lease, unless a run of another output has one; of two that start at once, both may be refused.

        Raises:
            UserError: another run has a lease.
        """
        super().take()
        try:
            self._check_others()
        except UserError:
            self.release()
            raise

    def check_free(self) -> None:
        """Check that no run of another output has a lease. Raises what `Lease.take` raises."""
        super().check_free()
        self._check_others()

    def _check_others(self) -> None:
        """Raise UserError if a run of another output has a lease; remove the leases of runs that are over."""
        for name in storage.names(storage.join(self.folder, FOLDER)):
            found = _NAME.match(name)
            if found is None or found["output"] in self.file:
                continue
            other = Lease(folder=self.folder, holder=self.holder, file=f"{FOLDER}/{name}")
            version = versions.read(other.uri)
            try:
                other.check_free()
            except UserError as error:
                raise UserError(f"--sidecar {error}, or choose another folder for sidecars") from error
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
