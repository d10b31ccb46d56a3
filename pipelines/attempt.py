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
from importlib.metadata import version
from itertools import chain
from time import perf_counter

from pipelines import encode, formats, grayscale, pages, photo, storage
from pipelines.crew import out_of_memory
from pipelines.limits import timed
from pipelines.manifest import STAGES, Output, Record
from pipelines.metadata import Metadata
from pipelines.naming import Named
from pipelines.outcomes import Rejected
from pipelines.pages import Page
from pipelines.recolor import model_luminance, recolor
from pipelines.runs import Maker
from pipelines.xmp import Mark
from tfrecords.color import Floats, Pixels, colourfulness

_MEASURED_PIXELS = 1 << 16
# What file systems say to a name or a place that they cannot have; anything else is not the photo's fault.
_NO_SUCH_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
COLOR = "color"
# Old prints fade unevenly and have stains. Of 104 historic scans 23 % are off one curve by more than what `prepare`
# allows a toned photo, 2 % by more than three times that; of colour photos 95 % are.
_STAINED = 3.0
SOFTWARE = f"Autochrome {version('autochrome')}"


class ModelError(RuntimeError):
    """The model cannot predict; no photo's fault."""


@dataclass(frozen=True)
class Studio:
    """All that a photo needs beside itself.

    Attributes:
        maker: settings and model, in words.
        size: side S of the model's input.
        predict: luminance float32 ``[1, S, S, 1]`` in [0, 1] → a and b, float32 ``[1, S, S, 2]``.
        save: puts a photo's files under their paths relative to the output; returns the record of what is there then.
    """

    maker: Maker
    size: int
    predict: Callable[[Floats], Floats]
    save: Callable[[Record, dict[str, bytes]], Record]


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
class _Colored:
    """What the record is to say of a page that was made."""

    index: int
    count: int
    width: int
    height: int
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
        decoded = _decoded(data, watch)
        first = next(decoded)
        record = replace(record, format=first.format)
        if studio.maker.settings.on_color != "recolor" and (left := _left(record, data, named, studio, watch)):
            record = left
        else:
            record = _written(record, chain([first], decoded), named, studio, watch)
    except Rejected as verdict:
        record = replace(record, status="rejected", reason=verdict.reason, detail=verdict.detail)
    return replace(record, milliseconds=watch.milliseconds())


def _decoded(data: bytes, watch: _Watch) -> Iterator[Page]:
    decoded = pages.read(data)
    while True:
        with watch.stage("decode"):
            page = timed(lambda: _next(decoded))
        if page is None:
            return
        yield page


def _next(decoded: Iterator[Page]) -> Page | None:
    try:
        return next(decoded, None)
    except Rejected as verdict:
        if isinstance(verdict.__cause__, MemoryError):
            raise verdict.__cause__ from None
        raise


def _left(record: Record, data: bytes, named: Named, studio: Studio, watch: _Watch) -> Record | None:
    """The record of a photo that is in colour on every page and is skipped or copied for that; else None."""
    outputs = []
    for page in _decoded(data, watch):
        with watch.stage("predict"):
            tone = tone_of(page.pixels, page.chroma_step)
        if tone != COLOR:
            return None
        outputs.append(Output(named.own, page.index + 1, page.width, page.height, len(data), record.sha256, tone, None))
    if studio.maker.settings.on_color == "skip":
        return replace(record, status="skipped")
    copied = replace(record, status="copied", outputs=tuple(outputs), warnings=_warnings(named, named.own))
    with watch.stage("write"):
        return _saved(copied, {named.own: data}, studio)


def _written(record: Record, decoded: Iterable[Page], named: Named, studio: Studio, watch: _Watch) -> Record:
    settings = studio.maker.settings
    file_format = formats.output_format(settings.format, record.format)
    mark = Mark(SOFTWARE, record.model, record.model_digest, record.name, settings.digital_source_type)
    made: list[_Colored] = []
    warned: list[str] = []

    def colored(some: Iterable[Page]) -> Iterator[tuple[Pixels, Metadata]]:
        for page in some:
            pixels = _recolored(page, file_format, studio, watch, made)
            yield pixels, page.metadata

    def encoded(some: Iterable[Page]) -> bytes:
        with _own_fault(), watch.stage("encode"):
            return encode.encode(
                *(colored(some), file_format),
                quality=settings.quality,
                bit_depth=settings.bit_depth,
                mark=mark,
                warned=warned,
            )

    # A TIFF takes all pages, one by one; any other format has a file for each.
    files = [encoded(decoded)] if file_format == "TIFF" else [encoded([page]) for page in decoded]
    files *= len(made) // len(files)
    outputs = tuple(
        _output(one, named.output(file_format, one.index, one.count), file)
        for one, file in zip(made, files, strict=True)
    )
    warnings = (*_warnings(named, outputs[0].name), *dict.fromkeys(warned))
    written = replace(record, status="written", outputs=outputs, warnings=warnings)
    with watch.stage("write"):
        return _saved(written, {output.name: file for output, file in zip(outputs, files, strict=True)}, studio)


def _recolored(page: Page, file_format: str, studio: Studio, watch: _Watch, made: list[_Colored]) -> Pixels:
    """Makes one page; what is said of it is added to ``made``."""
    deep = studio.maker.settings.bit_depth == "keep" and file_format in encode.DEEP_FORMATS
    source = page.pixels if deep else photo.to_bytes(page.pixels)
    with watch.stage("predict"):
        tone = tone_of(source, page.chroma_step)
        seen = model_luminance(source, studio.size)
        try:
            chroma = studio.predict(seen[None])[0]
        except Exception as error:
            if out_of_memory(error):
                raise
            raise ModelError(f"{type(error).__name__}: {error}") from error
    with _own_fault(), watch.stage("merge"):
        pixels = recolor(source, chroma, 8 * source.dtype.itemsize, seen)
        vivid = round(colourfulness(photo.to_bytes(_sampled(pixels))), 1)
    made.append(_Colored(page.index, page.count, page.width, page.height, tone, vivid))
    return pixels


def _output(one: _Colored, name: str, file: bytes) -> Output:
    return Output(name, one.index + 1, one.width, one.height, len(file), _sha256(file), one.tone, one.colourfulness)


@contextmanager
def _own_fault() -> Iterator[None]:
    """Makes a rejection of whatever a photo's own pixels or metadata bring about."""
    try:
        yield
    except (Rejected, ModelError):
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        raise Rejected("failed", f"{type(error).__name__}: {error}"[:200]) from error


def tone_of(pixels: Pixels, chroma_step: int) -> str:
    """What a photo's colour is: ``grayscale``, ``near_gray``, ``toned`` or ``color``, see `pipelines.grayscale`.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        chroma_step: `pipelines.photo.Photo.chroma_step` of the file.
    """
    if pixels.ndim == 2:
        return "grayscale"
    verdict = grayscale.judge(photo.to_bytes(pixels), chroma_step)
    if verdict.reason is None and verdict.residual <= _STAINED * verdict.allowed:
        return "toned"
    return verdict.reason or COLOR


def _sampled(pixels: Pixels) -> Pixels:
    """Every nth pixel of every nth row: enough of them to measure colour by."""
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / _MEASURED_PIXELS) ** 0.5))
    return pixels[::step, ::step]


def _saved(record: Record, files: dict[str, bytes], studio: Studio) -> Record:
    try:
        return studio.save(record, files)
    except OSError as error:
        if error.errno in _NO_SUCH_NAME:
            raise Rejected("unwritable", f"{next(iter(files))}: {error.strerror}") from error
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
