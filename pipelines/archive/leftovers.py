"""Files in the output that are named after a photo, but not by its new record: what earlier runs made of it.

A photo that was recoloured once and is now skipped, or is a PNG now where it was a JPEG, would leave a file that no
record names. Such a file is removed when it holds what an earlier run wrote, so that it can be made again. Any other
file, and whatever there is of a photo that is rejected now, stays, and the photo's record says so.
"""

from collections.abc import Iterable
from dataclasses import replace

from pipelines.archive.manifest import Left, Record
from pipelines.archive.resume import File
from pipelines.files import contents, storage
from pipelines.runtime.outcomes import Status

_CLEARED: tuple[Status, ...] = ("written", "copied", "skipped")


def settle(record: Record, files: Iterable[File], output: str, *, keep: bool = False) -> tuple[Record, int]:
    """Makes folder and record agree; to be called when the photo's files are written and its record is not.

    Args:
        record: of the photo, new.
        files: see `pipelines.archive.resume.Task`.
        output: the folder.
        keep: whether files of earlier runs stay.

    Returns:
        the record, with a warning for each file that it does not name and that stays; and how many files were removed.

    Raises:
        storage.IO_ERRORS: a file cannot be read or removed.
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
