"""Whether a folder can be written to, found out before any work by writing there."""

from collections.abc import Iterable
from pathlib import Path

from pipelines.files import beneath, cloud, faults, holds, local_files, local_writes, storage
from tfrecords.errors import DeniedError, OutageError, UserError, WorldError

# Of the form of unfinished files, so that nothing takes it for a photo; always the same, in case it cannot be removed.
_PROBE = f".probe.{'0' * 32}.part"


def check(
    folder: str,
    flag: str = "--output",
    *,
    once: bool = False,
    instead: str = "choose another folder",
    own: Iterable[str] = (),
) -> None:
    """Makes sure that files can be written into a folder, which is created where it is missing.

    Args:
        folder: local or ``gs://``.
        flag: that it was given with.
        once: whether it is enough that files can be created: none of them will be replaced or removed.
        instead: what to do about a bucket that keeps every object it gets.
        own: what the command writes there for itself, by relative path: no part of these may be a link.

    Raises:
        UserError: they cannot.
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
    except (*storage.IO_ERRORS, WorldError) as error:
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
            try:
                storage.remove([probe])
            except DeniedError:
                kept = holds.of_object(probe)
                if not kept:
                    raise
    if kept:
        raise UserError(f"{flag} {folder} is in a bucket that keeps every object it gets ({kept}); {instead}")
