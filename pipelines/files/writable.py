"""Check whether a folder can be written to, before work starts, by writing to it."""

import io
from collections.abc import Iterable
from pathlib import Path

from pipelines.files import beneath, buckets, cloud, faults, holds, local_files, local_writes, storage, stores
from tfrecords.errors import DeniedError, OutageError, UserError, WorldError

# Named like an unfinished file, so that nothing takes it for a photo; a fixed name, in case it cannot be removed.
_PROBE = f".probe.{'0' * 32}.part"


def check(
    folder: str,
    flag: str = "--output",
    *,
    once: bool = False,
    instead: str = "choose another folder",
    own: Iterable[str] = (),
) -> None:
    """Check that files can be written into a folder; the folder is created if it is missing.

    Args:
        folder: local or in a bucket.
        flag: the flag that named it.
        once: whether it is enough to create files, because none will be replaced or removed.
        instead: what the user can do about a bucket that keeps every object.
        own: relative paths that the command writes for itself: no part of them may be a link.

    Raises:
        UserError: files cannot be written.
        OutageError: the disk or the bucket does not answer.
    """
    try:
        if storage.is_in_bucket(folder):
            _check_bucket(folder, flag, once=once, instead=instead)
        elif storage.is_remote(folder):
            raise storage.unknown(folder)
        else:
            for name in own:
                beneath.check(Path(folder), name)
            local_writes.patiently(folder, lambda: _probe(Path(folder)))
    except OutageError:
        raise
    except storage.io_errors(WorldError) as error:
        of_disk = error.__cause__ if isinstance(error.__cause__, OSError) else error
        raise UserError(
            f"{flag} {folder} cannot be written to ({faults.cause(of_disk)}); choose another folder"
        ) from error


def _probe(folder: Path) -> None:
    local_files.make_folder(folder)
    path = folder / local_files.hidden_name("probe")
    with local_files.locked(path):
        path.unlink()


def _check_bucket(folder: str, flag: str, *, once: bool, instead: str) -> None:
    probe = storage.join(folder, _PROBE)
    if once:
        holds.check_creatable(probe)
        return
    kept = holds.of_bucket(folder)
    if not kept:
        with cloud.at_launch():
            storage.write(probe, b"")
            _check_conditions(folder, flag, probe)
            try:
                storage.remove([probe])
            except DeniedError:
                kept = holds.of_object(probe)
                if not kept:
                    raise
    if kept:
        raise UserError(f"{flag} {folder} is in a bucket that keeps every object it gets ({kept}); {instead}")


def _check_conditions(folder: str, flag: str, probe: str) -> None:
    """Check that a store does not overwrite the probe if a request forbids that."""
    if not stores.of(folder).is_compatible:
        return
    if storage.create(probe, b"created") or buckets.replace(probe, io.BytesIO(b"replaced"), "0" * 32):
        raise UserError(
            f"{flag} {folder} is in a store that ignores If-None-Match or If-Match, so programs could overwrite each "
            "other's files; choose another store or a disk"
        )
