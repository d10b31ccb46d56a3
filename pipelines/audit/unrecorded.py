"""Find pictures in a colorized folder that no record names: nothing says who made them, from what and how.

They are looked for where the records are whole and kept in the folder itself. Of damaged records some names are lost,
and with records elsewhere there may be pictures of other runs, which keep theirs elsewhere too.
"""

from array import array
from collections.abc import Iterator

import numpy as np

from pipelines.archive import output_files
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Record
from pipelines.audit.checks import Check
from pipelines.files.hashes import stable_hash
from pipelines.files.listings import Branch
from pipelines.files.sources import Source


def is_looked_for(ledger: Ledger) -> bool:
    """Return whether every picture in a folder should have a record in its manifest."""
    return ledger.state == ledger.folder


def pictures(branch: Branch, ledger: Ledger) -> Iterator[Source]:
    """Yield the pictures, and the files with the chroma of one, of a part of a folder (`output_files.branches`).

    Raises:
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    return filter(output_files.is_picture, output_files.listed(branch, ledger.folder))


def check(picture: Source) -> Check:
    """Return the check of a picture that no record names."""
    return Check(kind="file", name=picture.name, uri=picture.uri, verdict="unrecorded")


class Names:
    """The names of the files of many records, as 8 bytes each."""

    def __init__(self) -> None:
        self._hashes = array("Q")

    def add(self, record: Record) -> None:
        """Add the files of a record."""
        self._hashes.extend(int.from_bytes(stable_hash(output.name)) for output in record.outputs)

    def lacking(self, ledger: Ledger) -> Iterator[Check]:
        """Yield a check of each picture in a folder whose name was not added.

        Raises:
            WorldError: the disk or the bucket fails, or rights are lost.
        """
        known = np.sort(np.frombuffer(self._hashes, np.uint64))
        for branch in output_files.branches(ledger.folder):
            for picture in pictures(branch, ledger):
                sought = np.uint64(int.from_bytes(stable_hash(picture.name)))
                place = np.searchsorted(known, sought)
                if place == len(known) or known[place] != sought:
                    yield check(picture)
