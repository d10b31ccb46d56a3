"""Where records say that scans are, seen from the folder in which a command runs."""

from itertools import islice
from pathlib import Path, PurePosixPath

from pipelines.archive.ledger import Ledger
from pipelines.files import storage
from tfrecords.errors import UserError

_LOOKED_AT = 100


def check(ledger: Ledger) -> None:
    """Check that scans can be found from here, by the first records of a folder.

    Args:
        ledger: of the folder.

    Raises:
        UserError: they are named relative to another folder than that in which the command runs.
    """
    for record in islice(ledger.records(), _LOOKED_AT):
        path = PurePosixPath(record.uri)
        if record.sha256 and not storage.is_remote(record.uri) and not path.is_absolute():
            if (first := _first_folder(path)) and not first.exists():
                raise UserError(
                    f"{ledger.folder} names scans from the folder in which `colorize` ran, such as {record.uri}; "
                    f"run this there too: {Path.cwd()} has no {first}"
                )
            return


def _first_folder(path: PurePosixPath) -> Path | None:
    """Return a path up to its first folder that is not ``..``; None if only a file is left."""
    up = next((index for index, part in enumerate(path.parts) if part != ".."), 0)
    return Path(*path.parts[: up + 1]) if len(path.parts) > up + 1 else None
