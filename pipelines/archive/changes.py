"""Find files that somebody changed after they were written, by their digests if their fingerprints differ.

A photo whose file was retouched or rated stays as it is. Its record then describes the present file, and also what
Autochrome once wrote there, from what source, and with which model and settings.
"""

from dataclasses import replace

from pipelines.archive.manifest import CHANGED, OCCUPIED, Output, Record
from pipelines.archive.resume import File, Policy, Task
from pipelines.errors import Rejected
from pipelines.files import contents, storage
from pipelines.files.contents import Content


def with_source(task: Task) -> Task:
    """Compare the source with the digest of its record, if the listing did not settle whether it is the same.

    Returns:
        the task, with a record only if the source has the same bytes. If it cannot be read, the photo is made again,
        which records why.

    Raises:
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    if not task.needs_source or task.existing is None:
        return task
    try:
        is_same = contents.sha256(task.named.source.read()) == task.existing.sha256
    except Rejected:
        is_same = False
    return replace(task, existing=task.existing if is_same else None, needs_source=False)


def settled(task: Task, policy: Policy, output: str) -> Record | None:
    """Check the files of a photo with an earlier record, if the listing did not settle their state.

    Args:
        task: a photo whose files need a check, or one to be made.
        policy: of the run.
        output: the folder.

    Returns:
        the record of a photo that stays as it is; None if it must be made.

    Raises:
        storage.io_errors: a file cannot be read.
    """
    record = task.existing or task.earlier
    if record is None or not record.outputs:
        return None
    # A killed run with these settings may have made the photo again after its source had changed.
    since = record.run + (task.existing is not None)
    now = _as_it_is(record, {file.name: file for file in task.files}, output, since)
    if now.was_changed:
        if policy.replace_changed:
            return None
        warnings = tuple(dict.fromkeys((*now.warnings, CHANGED)))
        return replace(now, status="kept", reason="", detail="", warnings=warnings, milliseconds={})
    # If the record mentioned a change and the file is now as once written, the photo is made again to record that.
    stands = task.existing is not None and not record.was_changed and len(now.outputs) == len(record.outputs)
    return now if stands else None


def occupied(record: Record, found: dict[str, Content]) -> Record:
    """Return the record of a photo whose place is taken by files that no record names.

    Args:
        record: of the photo, as it would have been written.
        found: the files, by path relative to the output.
    """
    pages = {output.name: output for output in reversed(record.outputs)}
    outputs = (
        Output(
            name=name,
            page=pages[name].page,
            width=0,
            height=0,
            bytes=content.bytes,
            sha256=content.sha256,
            tone=pages[name].tone,
            colourfulness=None,
            fingerprint=content.fingerprint,
        )
        for name, content in found.items()
    )
    unmade = replace(record, model="", model_digest="", settings_digest="", guided={})
    return replace(unmade, status="kept", outputs=tuple(outputs), warnings=(OCCUPIED,))


def _as_it_is(record: Record, files: dict[str, File], output: str, since: int) -> Record:
    """Return the record with the present contents of its files, without files that are gone or of an unrecorded run.

    Args:
        record: of the photo.
        files: of the photo, by name.
        output: the folder.
        since: number of the first run that may have written the files after the record.
    """
    read: dict[str, Content | None] = {}
    outputs = []
    for one in record.outputs:
        file = files.get(one.name)
        if file is None:
            continue
        if file.fingerprint == one.fingerprint:
            outputs.append(one)
            continue
        if one.name not in read:
            read[one.name] = contents.read(storage.join(output, one.name))
        content = read[one.name]
        if content is None or not content.bytes:  # a power cut may leave an empty file, and no photo is empty
            continue
        made = one.made_sha256 or one.sha256
        now = replace(one, bytes=content.bytes, sha256=content.sha256, fingerprint=content.fingerprint, made_sha256="")
        if not record.model_digest or content.sha256 == made:
            outputs.append(now)
        elif content.sha256 not in file.digests and content.own_run < since:
            outputs.append(replace(now, made_sha256=made))
    return replace(record, outputs=tuple(outputs), pending=False)
