"""Read the photos of a shard, and convert them in child processes, a few small ones at a time."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.dataset.converted import Converted
from pipelines.dataset.measures import Measures
from pipelines.errors import Rejected, Undecided
from pipelines.files.sources import Source
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.errors import WorldError

_LOG = logging.getLogger(__package__)
# The maximum of a batch. It is small, so that batches do not raise the memory of this process.
_PHOTOS, _BYTES = 8, 1 << 20


@dataclass(frozen=True, kw_only=True)
class _Read:
    source: Source
    data: bytes = b""
    verdict: Rejected | None = None


def converted(
    sources: Iterable[Source], size: int, processes: PhotoProcesses, measures: Measures
) -> Iterator[tuple[Source, Converted]]:
    """Yield each photo with the result of its conversion, in order.

    Args:
        sources: the photos.
        size: side of the examples in pixels.
        processes: the child processes; their handler is `pipelines.dataset.examples.convert`.
        measures: receives times and sizes.

    Raises:
        WorldError: a photo cannot be read, or this machine has too little memory for it, which is not its fault.
        PhotoProcessError: the child processes fail.
    """
    for batch in _batches(sources, measures):
        readable = [(one.data, (one.source.name, size, one.source.label)) for one in batch if one.verdict is None]
        together = iter((len(readable) > 1 and processes.call_together(readable)) or ())
        for one in batch:
            if one.verdict is not None:
                yield one.source, Converted(reason=one.verdict.reason, detail=one.verdict.detail)
                continue
            result = next(together, None) or _alone(one, size, processes)
            measures.add_times(result.milliseconds)
            yield one.source, result


def _batches(sources: Iterable[Source], measures: Measures) -> Iterator[list[_Read]]:
    batch: list[_Read] = []
    for source in sources:
        batch.append(_read(source, measures))
        if len(batch) == _PHOTOS or sum(len(one.data) for one in batch) >= _BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(source: Source, measures: Measures) -> _Read:
    try:
        if source.duplicate_of:
            raise Rejected("duplicate", f"the same bytes as {source.duplicate_of}")
        with measures.stage("read"):
            data = source.read()
    except Rejected as verdict:
        return _Read(source=source, verdict=verdict)
    measures.add("photo_bytes", len(data))
    return _Read(source=source, data=data)


def _alone(one: _Read, size: int, processes: PhotoProcesses) -> Converted:
    """Convert one photo.

    If the result is undecided, the photo is tried once more at once, in a fresh process. Records have an order, and the
    shard is done when all its photos are, so nothing is gained by waiting for the others.
    """
    name = one.source.name
    asked = name, size, one.source.label
    result: Converted
    try:
        try:
            result = processes.call(one.data, *asked)
        except Undecided as undecided:
            _LOG.info("%s: %s; trying again, in a fresh process", name, undecided.detail)
            result = processes.call(one.data, *asked, alone=True)
    except Rejected as verdict:
        return Converted(reason=verdict.reason, detail=verdict.detail)
    except Undecided as undecided:
        if undecided.reason == "out_of_memory":
            message = f"{name}: {undecided.detail}; give the workers more memory, or run fewer of them"
            raise WorldError(message) from None
        return Converted(reason=undecided.reason, detail=undecided.detail)
    return result
