"""Files in the output that are named after a photo, but not by its new record: what earlier runs made of it.

A photo that was recoloured once and is now skipped, or is a PNG now where it was a JPEG, would leave a file that no
record tells of. Such a file is removed when its bytes are those that an earlier record names, so that it can be made
again; any other, and whatever there is of a photo that is rejected now, stays and is told of in the photo's record.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from pipelines import storage
from pipelines.manifest import Record


def settle(record: Record, leftovers: Iterable[tuple[str, str]], output: str) -> Record:
    """Makes folder and record agree; to be called when the photo's files are written and its record is not.

    Args:
        record: of the photo, new.
        leftovers: see `pipelines.done.Task`.
        output: the folder.

    Returns:
        the record, with a warning for each file that it does not name and that stays.

    Raises:
        storage.IO_ERRORS: a file cannot be removed.
    """
    named = {one.name for one in record.outputs}
    stay = []
    for name, sha256 in sorted(leftovers):
        if name in named:
            continue
        uri = storage.join(output, name)
        if record.status != "rejected" and sha256 and _digest(uri) == sha256:
            storage.remove([uri])
        else:
            stay.append(f"{name} is in the output still, not made so by this run")
    return replace(record, warnings=(*record.warnings, *stay))


def _digest(uri: str) -> str:
    try:
        return hashlib.sha256(storage.read(uri)).hexdigest()
    except storage.IO_ERRORS:
        return ""
