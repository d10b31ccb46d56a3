"""One photo through all stages, from its source to its file, and the record of it.

What a photo itself brings about (broken, too large, too slow, a name that no file can have) ends in its record; what is
not its fault (a full disk, a model that fails) is raised and ends the job. Memory that runs out is raised as well: it
depends on what else is going on, so the caller tries again.
"""

import errno
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from time import perf_counter
from typing import Any

import cv2

from pipelines import grayscale, photo, storage
from pipelines.crew import out_of_memory
from pipelines.limits import timed
from pipelines.manifest import STAGES, Output, Record
from pipelines.naming import Named
from pipelines.outcomes import Rejected
from pipelines.recolor import model_luminance, recolor
from pipelines.runs import Maker
from tfrecords.color import Bytes, Floats, colourfulness

_JUDGED_SIDE = 256  # what the thresholds of `grayscale` are tuned for
_MEASURED_PIXELS = 1 << 16
# What file systems say to a name or a place that they cannot have; anything else is not the photo's fault.
_NO_SUCH_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
COLOR = "color"


@dataclass(frozen=True)
class Studio:
    """All that a photo needs beside itself.

    Attributes:
        maker: settings and model, in words.
        size: side S of the model's input.
        predict: luminance float32 ``[1, S, S, 1]`` in [0, 1] → a and b, float32 ``[1, S, S, 2]``.
        save: puts a file under its path relative to the output.
    """

    maker: Maker
    size: int
    predict: Callable[[Floats], Floats]
    save: Callable[[str, bytes], None]


class _Watch:
    """Milliseconds by stage; a stage within a stage is taken off the outer one."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started, before = perf_counter(), sum(self._spent.values())
        try:
            yield
        finally:
            inner = sum(self._spent.values()) - before
            self._spent[name] += 1e3 * (perf_counter() - started) - inner

    def milliseconds(self) -> dict[str, float]:
        return {name: round(self._spent[name], 1) for name in STAGES if name in self._spent}


@dataclass(frozen=True)
class _Page:
    """One picture of a file: its pixels, its place among the ``count`` pages from 0 on, and what came along."""

    pixels: Bytes
    index: int
    count: int
    format: str
    metadata: dict[str, Any]


@dataclass(frozen=True)
class _Colored:
    """One page in colour, and what is said of it in the record."""

    page: _Page
    pixels: Bytes
    tone: str
    colourfulness: float


def blank(named: Named, maker: Maker, reason: str = "", detail: str = "") -> Record:
    """The record of a photo of which nothing is known yet; rejected until something is."""
    source = named.source
    return Record(
        source.name,
        source.uri,
        source.offset,
        source.fingerprint,
        "rejected",
        reason,
        detail,
        model=maker.model,
        model_digest=maker.model_digest,
        settings_digest=maker.settings_digest,
        run=maker.run,
    )


def attempt(named: Named, studio: Studio) -> Record:
    """Makes one photo.

    Returns:
        its record: written, copied, skipped or rejected.

    Raises:
        MemoryError, cv2.error, tensorflow.errors.ResourceExhaustedError: there is too little memory now.
        OSError, BeamIOError: the output cannot be written.
    """
    watch = _Watch()
    record = blank(named, studio.maker)
    try:
        with watch.stage("read"):
            data = named.source.read()
            record = replace(record, bytes=len(data), sha256=_sha256(data))
        pages = _decoded(data, watch)
        first = next(pages)
        record = replace(record, format=first.format)
        if studio.maker.settings.on_color != "recolor" and (left := _left(record, data, named, studio, watch)):
            record = left
        else:
            record = _written(record, chain([first], pages), named, studio, watch)
    except Rejected as verdict:
        record = replace(record, status="rejected", reason=verdict.reason, detail=verdict.detail)
    return replace(record, milliseconds=watch.milliseconds())


def _read(data: bytes) -> Iterator[_Page]:
    try:
        source = photo.decode(data)
    except Rejected as verdict:
        if isinstance(verdict.__cause__, MemoryError):
            raise verdict.__cause__ from None
        raise
    yield _Page(source.pixels, 0, 1, source.format, source.metadata)


def _decoded(data: bytes, watch: _Watch) -> Iterator[_Page]:
    pages = _read(data)
    while True:
        with watch.stage("decode"):
            page = timed(lambda: next(pages, None))
        if page is None:
            return
        yield page


def _left(record: Record, data: bytes, named: Named, studio: Studio, watch: _Watch) -> Record | None:
    """The record of a photo that is in colour on every page and is skipped or copied for that; else None."""
    outputs = []
    for page in _decoded(data, watch):
        with watch.stage("predict"):
            tone = tone_of(page.pixels)
        if tone != COLOR:
            return None
        height, width = page.pixels.shape[:2]
        outputs.append(Output(named.own, page.index + 1, width, height, len(data), record.sha256, tone, None))
    if studio.maker.settings.on_color == "skip":
        return replace(record, status="skipped")
    with watch.stage("write"):
        _save(studio, named.own, data)
    return replace(record, status="copied", outputs=tuple(outputs), warnings=_warnings(named, named.own))


def _written(record: Record, pages: Iterable[_Page], named: Named, studio: Studio, watch: _Watch) -> Record:
    file_format = photo.output_format(studio.maker.settings.format, record.format)
    files: dict[str, bytes] = {}
    outputs = []
    for page in pages:
        colored = _colored(page, studio, watch)
        with _own_fault(), watch.stage("encode"):
            file = photo.encode(colored.pixels, file_format, page.metadata)
        name = named.output(file_format)
        files[name] = file
        outputs.append(_output(colored, name, file))
    with watch.stage("write"):
        for name, file in files.items():
            _save(studio, name, file)
    return replace(record, status="written", outputs=tuple(outputs), warnings=_warnings(named, outputs[0].name))


def _colored(page: _Page, studio: Studio, watch: _Watch) -> _Colored:
    with watch.stage("predict"):
        tone = tone_of(page.pixels)
        chroma = studio.predict(model_luminance(page.pixels, studio.size)[None])[0]
    with _own_fault(), watch.stage("merge"):
        pixels = recolor(page.pixels, chroma)
        return _Colored(page, pixels, tone, round(colourfulness(_sampled(pixels)), 1))


def _output(colored: _Colored, name: str, file: bytes) -> Output:
    height, width = colored.pixels.shape[:2]
    page = colored.page.index + 1
    return Output(name, page, width, height, len(file), _sha256(file), colored.tone, colored.colourfulness)


@contextmanager
def _own_fault() -> Iterator[None]:
    """Makes a rejection of whatever a photo's own pixels or metadata bring about."""
    try:
        yield
    except Rejected:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        raise Rejected("failed", f"{type(error).__name__}: {error}"[:200]) from error


def tone_of(pixels: Bytes) -> str:
    """What a photo's colour is: ``grayscale``, ``near_gray``, ``toned`` or ``color``, see `pipelines.grayscale`.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 3]``, sRGB.
    """
    if pixels.ndim == 2:
        return "grayscale"
    small = cv2.resize(pixels, (_JUDGED_SIDE, _JUDGED_SIDE), interpolation=cv2.INTER_AREA)
    return grayscale.judge(small).reason or COLOR


def _sampled(pixels: Bytes) -> Bytes:
    """Every nth pixel of every nth row: enough of them to measure colour by."""
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / _MEASURED_PIXELS) ** 0.5))
    return pixels[::step, ::step]


def _save(studio: Studio, name: str, data: bytes) -> None:
    try:
        studio.save(name, data)
    except OSError as error:
        if error.errno in _NO_SUCH_NAME:
            raise Rejected("unwritable", f"{name}: {error.strerror}") from error
        raise


def _warnings(named: Named, output: str) -> tuple[str, ...]:
    if named.has_its_name:
        return ()
    return (f"written as {output}: its name is that of another photo",)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_intact(record: Record, output: str) -> bool:
    """Whether the files of a record are in the output folder, byte by byte."""
    try:
        return all(_sha256(storage.read(storage.join(output, one.name))) == one.sha256 for one in record.outputs)
    except storage.IO_ERRORS:
        return False
