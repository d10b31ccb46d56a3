"""Make thumbnails of photos before and after, once: a name is a digest of the content, so it is never out of date.

    OUTPUT/report/thumbnails/9f/3a….jpg    at most SIDE pixels a side, upright, sRGB

A record has a picture of every page of its source and of its output, as far as they exist. `pipelines.viewer.pictures`
reads files of any depth, format and orientation like the job itself, in child processes with the same limits.
"""

import hashlib
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import cached_property

from pipelines.archive.manifest import Output, Record
from pipelines.archive.written_names import CHROMA_ENDING
from pipelines.errors import Rejected, Undecided
from pipelines.files import inputs, storage
from pipelines.files.hashes import stable_hash
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.viewer.pictures import QUALITY, SIDE
from tfrecords.errors import DeniedError

FOLDER = "report/thumbnails"
_ID = re.compile(rf"{FOLDER}/([0-9a-f]{{2}})/([0-9a-f]{{18}})\.jpg\Z")


@dataclass(frozen=True)
class Pair:
    """The ids of the pictures of one page.

    Attributes:
        before: of the source; '' if there is none because it equals the one after.
        after: of the output; '' for a photo that was left as it was, or whose chroma alone was written.
    """

    before: str
    after: str


@dataclass(frozen=True)
class Sheet:
    """The pictures of a record."""

    record: Record

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """One pair per page; none for a rejected input, which may not be a picture."""
        record = self.record
        if record.status == "skipped":
            return (Pair(_before(record, 1), ""),)
        as_it_was = bool(record.sha256)
        return tuple(
            Pair("" if as_it_was and output.sha256 == record.sha256 else _before(record, output.page), _after(output))
            for output in record.outputs
        )

    @property
    def ids(self) -> set[str]:
        """The ids of all pictures."""
        return {id_ for pair in self.pairs for id_ in (pair.before, pair.after) if id_}

    def lacks(self, there: Container[str]) -> bool:
        """Return whether a picture is not among the existing ones."""
        return any(id_ not in there for id_ in self.ids)

    def make(
        self,
        folder: str,
        there: Container[str],
        save: Callable[[str, bytes], None],
        processes: PhotoProcesses,
        *,
        last: bool = False,
    ) -> set[str]:
        """Make the pictures that do not exist yet.

        Args:
            folder: of the outputs.
            there: ids of the existing pictures.
            save: writes a file, given its path relative to the folder and its bytes.
            processes: the child processes; their handler is `pipelines.viewer.pictures.draw`.
            last: whether this is the last attempt; then each file gets a fresh process.

        Returns:
            ids of the new pictures. A source or an output that is gone or was replaced gets none, nor does one that
            exceeds the limits or crashes its process.

        Raises:
            Undecided: the process of a file died or ran out of memory, and this is not the last attempt.
        """
        made = set()
        for data, wanted, shares in self._files(folder, there):

            def keep(picture: tuple[int, bytes], wanted: dict[int, str] = wanted) -> None:
                page, file = picture
                save(path_of(wanted[page]), file)
                made.add(wanted[page])

            try:
                processes.call(data, shares, answer=keep, alone=last)
            except Rejected:
                continue
            except Undecided:
                if not last:
                    raise
        return made

    def _files(self, folder: str, there: Container[str]) -> Iterator[tuple[bytes, dict[int, str], dict[int, float]]]:
        """Yield each file that is needed, and by page the ids of the wanted pictures, and the share of rows shown."""
        record = self.record
        numbers = [output.page for output in record.outputs] or [1]
        wanted = {
            page: pair.before
            for page, pair in zip(numbers, self.pairs, strict=False)
            if pair.before and pair.before not in there
        }
        source = Source(
            uri=record.uri, name=record.name, size=record.bytes, fingerprint=record.fingerprint, offset=record.offset
        )
        if wanted and (data := _read(source, record.sha256)):
            yield data, wanted, dict.fromkeys(wanted, 1.0)
        for name in dict.fromkeys(output.name for output in record.outputs):
            ours = [(o, pair.after) for o, pair in zip(record.outputs, self.pairs, strict=True) if o.name == name]
            # The pages of a multi-page file are in order; a page with its own file is the first one there.
            wanted = {place: id_ for place, (_, id_) in enumerate(ours, start=1) if id_ and id_ not in there}
            # Without the label, so that the pictures before and after have one shape.
            shares = {place: _share(output) for place, (output, _) in enumerate(ours, start=1)}
            output = ours[0][0]
            file = Source(uri=storage.join(folder, name), name=name, size=output.bytes, fingerprint="")
            if wanted and (data := _read(file, output.sha256)):
                yield data, wanted, {place: shares[place] for place in wanted}


def _share(output: Output) -> float:
    return output.height / (output.height + output.label) if output.label else 1.0


def path_of(id_: str) -> str:
    """Return the path of a picture relative to the output."""
    return f"{FOLDER}/{id_[:2]}/{id_[2:]}.jpg"


def listed(folder: str) -> Iterator[tuple[str, str]]:
    """Yield id and URI of each picture in a folder."""
    for file in files(Branch(path=storage.join(folder, FOLDER)), folder):
        match = _ID.match(file.name)
        if match and not file.fault:
            yield match[1] + match[2], file.uri


def _id(*shown: object) -> str:
    return stable_hash("\0".join(map(str, (SIDE, QUALITY, *shown))), size=10).hex()


def _before(record: Record, page: int) -> str:
    known = (record.sha256,) if record.sha256 else (record.uri, record.offset, record.fingerprint)
    return _id("before", *known, page)


def _after(output: Output) -> str:
    if output.name.endswith(CHROMA_ENDING):
        return ""
    # Without a digest, the size must do.
    known = (output.sha256,) if output.sha256 else (output.name, output.bytes)
    return _id("after", *known, output.page)


def _read(source: Source, digest: str) -> bytes:
    """Return the bytes of a file; b'' if it is gone or has another digest."""
    try:
        with inputs.optional():
            data = source.read()
    except (Rejected, DeniedError):
        return b""
    return data if not digest or hashlib.sha256(data).hexdigest() == digest else b""
