"""Give files in the output the time of change of their source: ``--keep_mtime``."""

import os
from collections.abc import Sequence
from dataclasses import replace

from pipelines.archive.manifest import Record
from pipelines.files import contents, patience, storage
from pipelines.files.sources import Source
from tfrecords.errors import UserError


def check(paths: Sequence[str]) -> None:
    """Check that files have times of change that can be kept.

    Raises:
        UserError: a path is in a bucket, which sets the times of its objects itself.
    """
    for path in paths:
        if storage.is_remote(path):
            raise UserError(f"--keep_mtime is for local files; leave it out: buckets set the times of objects ({path})")


def of(source: Source) -> int | None:
    """Return when a source was changed, in nanoseconds since 1970; None if that is not known."""
    if source.offset is not None:
        return source.mtime_ns
    if storage.is_remote(source.uri):
        return None
    try:
        return patience.locally(source.uri, lambda: os.stat(source.uri)).st_mtime_ns  # noqa: PTH116 (once a photo)
    except OSError:  # gone since it was listed
        return None


def kept(record: Record, source: Source, output: str) -> Record:
    """Give the files of a photo the time of change of their source.

    Args:
        record: of the photo. Files that somebody else made or changed are left alone.
        source: the photo.
        output: the folder.

    Returns:
        the record, with the fingerprints that the files have now.

    Raises:
        OSError: the time of a file cannot be set.
    """
    changed = of(source) if record.status in ("written", "copied") and not record.was_changed else None
    if changed is None:
        return record
    for name in {one.name for one in record.outputs}:
        set_time(storage.join(output, name), changed)
    now = {one.name: contents.fingerprint(storage.join(output, one.name)) for one in record.outputs}
    return replace(record, outputs=tuple(replace(one, fingerprint=now[one.name]) for one in record.outputs))


def set_time(path: str, mtime_ns: int) -> None:
    """Set the time of change of a file, unless it has that already."""
    about = os.stat(path)  # noqa: PTH116 (as above)
    if about.st_mtime_ns != mtime_ns:
        os.utime(path, ns=(about.st_atime_ns, mtime_ns))
