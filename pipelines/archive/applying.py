"""Join one sidecar with its scan: the colour files come out as the job wrote them, or nothing is written."""

from dataclasses import dataclass
from typing import Literal

from pipelines.archive import chroma_file
from pipelines.archive.chroma_file import ChromaFile
from pipelines.archive.render import Rendered
from pipelines.errors import Rejected, Undecided
from pipelines.files import contents, faults, inputs, safe_names, storage, tars
from pipelines.files.sources import Source
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.color import Floats
from tfrecords.errors import UserError
from tfrecords.words import counted

Outcome = Literal["made", "found", "failed"]


@dataclass(frozen=True)
class Applied:
    """The result for one sidecar: the outcome, and what stood in the way if it failed."""

    outcome: Outcome
    detail: str = ""


def apply(sidecar: Source, scans: str, output: str, processes: PhotoProcesses, *, last: bool = False) -> Applied:
    """Write the colour files of one sidecar.

    Args:
        sidecar: the file.
        scans: the folder of the scans; a scan in a tar is looked for where it was.
        output: folder for the colour files.
        processes: child processes; their handler is `pipelines.archive.render.render`.
        last: whether this is the last attempt.

    Returns:
        ``found`` if all files are there already.

    Raises:
        Undecided: the process of the photo died or ran out of memory, and this is not the last attempt.
        WorldError: a disk or a bucket fails.
    """
    try:
        content = chroma_file.unpack(sidecar.read())
        there = {name: contents.read(storage.join(output, name)) for name in content.outputs}
        found = {name: one.sha256 for name, one in there.items() if one is not None}
        if found == content.outputs:
            return Applied("found")
        if found:
            return Applied("failed", f"{next(iter(found))} is there already and is another file; it stays")
        files = _made(content, _scan(content, scans), processes, last=last)
    except (Rejected, UserError) as error:
        return Applied("failed", error.detail if isinstance(error, Rejected) else str(error))
    except Undecided as undecided:
        if not last:
            raise
        return Applied("failed", undecided.detail)
    for name, file in files.items():
        storage.write_in(output, name, file)
    return Applied("made")


def _scan(content: ChromaFile, scans: str) -> bytes:
    about = content.source
    uri = storage.join(scans, _path(about["name"], about["uri"]))
    if about["offset"] is not None:
        # The tar itself, or one below the scans, or where it was; the digest decides.
        beside = storage.join(scans, about["uri"].rpartition("/")[2])
        uri = scans if tars.is_tar(scans) else beside if storage.size(beside) >= 0 else about["uri"]
    try:
        data = inputs.read(uri) if about["offset"] is None else inputs.read_range(uri, about["offset"], about["bytes"])
    except storage.io_errors() as error:
        raise UserError(f"its scan {uri} cannot be read: {faults.cause(error)}") from error
    if contents.sha256(data) != about["sha256"]:
        raise UserError(f"{uri} is not the scan that it was made from")
    return data


def _path(name: str, uri: str) -> str:
    """Return the path of a scan below its folder: its name, in which control characters are escaped, as in its URI."""
    parts = uri.split("/")
    path = "/".join(parts[-1 - name.count("/") :])
    return path if safe_names.relative(path) == name else name


def _made(content: ChromaFile, scan: bytes, processes: PhotoProcesses, *, last: bool) -> dict[str, bytes]:
    """Return the colour files by name, the same as the job's."""
    files: list[bytes] = []
    chroma = list(content.chroma)

    def answer(_: object) -> Floats:
        if not chroma:
            raise UserError(f"it is for {len(content.chroma)} of the pages of the scan, which has more")
        return chroma.pop(0)

    rendered: Rendered = processes.call(scan, content.options, answer=answer, give=files.append, alone=last)
    if rendered.status != "written":
        raise Rejected(rendered.reason or "failed", rendered.detail or "it is in colour")
    if chroma:
        raise UserError(
            f"it is for {counted(len(content.chroma), 'page')}, and the scan has {len(content.chroma) - len(chroma)}"
        )
    made = dict(zip(content.outputs, files, strict=False))
    if {name: contents.sha256(file) for name, file in made.items()} != content.outputs:
        raise UserError("its colour file came out different; take the version of Autochrome that made it")
    return made
