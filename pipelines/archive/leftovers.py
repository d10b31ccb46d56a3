"""Settle files in the output that belong to a photo by name but not by its new record: results of earlier runs.

A photo that was recoloured before and is skipped now, or is now a PNG and was a JPEG, would leave a file that no record
names. Such a file is removed if its content is what an earlier run wrote, because it can be made again. Any other file
stays, and so do all files of a photo that is rejected now; the record of the photo mentions them.
"""

from collections.abc import Iterable
from dataclasses import replace

from pipelines.archive.manifest import Left, Record
from pipelines.archive.resume import File
from pipelines.files import contents, storage
from pipelines.runtime.outcomes import Status

_CLEARED: tuple[Status, ...] = ("written", "copied", "skipped")


def settle(record: Record, files: Iterable[File], output: str, *, keep: bool = False) -> tuple[Record, int]:
    """Make folder and record agree; call this after the photo's files are written and before its record is.

    Args:
        record: of the photo, new.
        files: see `pipelines.archive.resume.Task`.
        output: the folder.
        keep: whether files of earlier runs stay.

    Returns:
        the record, with a warning for each file that it does not name and that stays; and the number of removed files.

    Raises:
        storage.io_errors: a file cannot be read or removed.
    """
    named = {one.name for one in record.outputs}
    warnings, left, removed = list(record.warnings), [], 0
    for file in sorted(files, key=lambda file: file.name):
        uri = storage.join(output, file.name)
        content = contents.read(uri) if file.name not in named else None
        if content is None:
            continue
        is_ours = content.bytes > 0 and content.may_go(file.digests)
        if is_ours and record.status in _CLEARED and not keep:
            contents.remove(uri, content)
            removed += 1
            continue
        warnings.append(f"{file.name} is still in the output; this run did not make it")
        if is_ours:
            left.append(Left(file.name, content.sha256))
    return replace(record, warnings=tuple(warnings), left=tuple(left)), removed
