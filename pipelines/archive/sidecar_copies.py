"""`CopySidecars`: take the sidecars of photos along, under the names of their files in the output.

A sidecar belongs to the photos of its folder whose name it has, with the extension or without: ``x.tif.xmp`` and
``x.xmp`` belong to ``x.tif``. If ``x.tif`` became ``x.tif.png``, they become ``x.tif.png.xmp`` and ``x.tif.xmp``.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics import Metrics

from pipelines import notices
from pipelines.archive.manifest import FOLDER, REPORT_FILE, Record
from pipelines.errors import Rejected
from pipelines.files import beneath, contents, sidecars, storage
from pipelines.files.sources import Source
from pipelines.runtime.outcomes import REJECTED_FILE

COPIED, KEPT = "sidecars_copied", "sidecars_kept"
"""Beam's counters: sidecars that are in the output now, and others that were there already and differ, so they stay."""
_OWN = (REPORT_FILE, REJECTED_FILE)
_OWN_FOLDERS = (f"{FOLDER}/", "report/")


@dataclass(eq=False)
class CopySidecars(beam.PTransform):
    """Copy sidecars: PCollection of `Record` → PCollection of str, the names of the copies.

    An existing file with other content is never replaced. A sidecar that cannot be read is left out. The user is told
    of either, once.

    Attributes:
        output: the folder of the colour photos.
        ignored: the files of the input that are not photos (`FindPhotos.ignored`).
    """

    output: str
    ignored: beam.PCollection[Source]

    def expand(self, records: beam.PCollection[Record]) -> beam.PCollection[bytes]:
        """Join sidecars and photos by name, and copy."""
        # Keys are bytes, because Beam's coder for strings rejects names that are not UTF-8.
        joined = (
            records | "Key photos" >> beam.FlatMap(_keyed_outputs),
            self.ignored
            | "Of photos" >> beam.Filter(lambda source: sidecars.is_of_photo(source.name))
            | "Key sidecars" >> beam.Map(lambda source: (os.fsencode(_stem(source.name)), source)),
        ) | "Join sidecars" >> beam.CoGroupByKey()
        return joined | "Copy sidecars" >> beam.FlatMap(_copied, self.output)


def _keyed_outputs(record: Record) -> Iterator[tuple[bytes, tuple[bytes, bool]]]:
    """Yield the names that sidecars of a photo may have without their extension, with its file in the output."""
    if record.outputs:
        name = os.fsencode(record.outputs[0].name)
        yield os.fsencode(record.name), (name, True)
        yield os.fsencode(_stem(record.name)), (name, False)


def _copied(
    family: tuple[bytes, tuple[Iterable[tuple[bytes, bool]], Iterable[Source]]], output: str
) -> Iterator[bytes]:
    _, (photos, found) = family
    names = sorted(set(photos))
    for source in found if names else ():
        extension = source.name[len(_stem(source.name)) :]
        for name in dict.fromkeys(copy_name(os.fsdecode(photo), extension, whole=whole) for photo, whole in names):
            if _copy(source, output, name):
                yield os.fsencode(name)


def copy_name(photo: str, extension: str, *, whole: bool) -> str:
    """Return the name of a sidecar in the output.

    Args:
        photo: name of the photo's file in the output.
        extension: of the sidecar, with its dot.
        whole: whether the sidecar's name has the photo's extension as well.
    """
    return (photo if whole else _stem(photo)) + extension


def _copy(source: Source, output: str, name: str) -> bool:
    """Return whether a sidecar is in the output now."""
    if name in _OWN or name.startswith(_OWN_FOLDERS):
        return _keep(output)
    try:
        data = source.read()
    except Rejected:
        notices.tell(f"{output} lacks sidecars", "some sidecars cannot be read, and are not copied")
        return False
    if not storage.is_remote(output):
        beneath.check(Path(output), name.rpartition("/")[0])
    there = contents.read(storage.join(output, name))
    if there is not None and there.sha256 != contents.sha256(data):
        return _keep(output)
    if there is None:
        storage.write_in(output, name, data)
    Metrics.counter("autochrome", COPIED).inc()
    return True


def _keep(output: str) -> bool:
    """Count and tell that a file stays in the place of a sidecar; return False."""
    Metrics.counter("autochrome", KEPT).inc()
    notices.tell(
        f"{output} keeps sidecars",
        f"files in {output} differ from the sidecars of the input, and stay; remove them to get those of the input",
    )
    return False


def _stem(name: str) -> str:
    """Return a name without the extension of the file."""
    folder, slash, file = name.rpartition("/")
    stem, _, _ = file.rpartition(".")
    return f"{folder}{slash}{stem}" if stem else name
