"""One photo through all stages, from its source to its file, and the record of it.

What a photo itself brings about (broken, too large, too slow, a name that no file can have) ends in its record; what is
not its fault (a full disk, a model that fails) is raised and ends the job. Memory that runs out is raised as well: it
depends on what else is going on, so the caller tries again.
"""

import errno
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

import cv2

from pipelines import grayscale, photo, storage
from pipelines.crew import out_of_memory
from pipelines.limits import timed
from pipelines.manifest import Output, Record
from pipelines.naming import Named
from pipelines.outcomes import Rejected
from pipelines.photo import Photo
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


@dataclass
class _Watch:
    """Milliseconds by stage."""

    milliseconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] += 1e3 * (perf_counter() - started)

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 1) for name, value in self.milliseconds.items()}


def blank(named: Named, maker: Maker) -> Record:
    """The record of a photo of which nothing is known yet; rejected until something is."""
    source = named.source
    return Record(
        source.name,
        source.uri,
        source.offset,
        source.fingerprint,
        "rejected",
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
        with watch.stage("decode"):
            source = timed(lambda: _decoded(data))
            record = replace(record, format=source.format)
        record = _finished(record, data, source, named, studio, watch)
    except Rejected as verdict:
        record = replace(record, status="rejected", reason=verdict.reason, detail=verdict.detail)
    return replace(record, milliseconds=watch.rounded())


def _decoded(data: bytes) -> Photo:
    try:
        return photo.decode(data)
    except Rejected as verdict:
        if isinstance(verdict.__cause__, MemoryError):
            raise verdict.__cause__ from None
        raise


def _finished(record: Record, data: bytes, source: Photo, named: Named, studio: Studio, watch: _Watch) -> Record:
    with watch.stage("predict"):
        tone = tone_of(source.pixels)
    on_color = studio.maker.settings.on_color if tone == COLOR else "recolor"
    if on_color == "skip":
        return replace(record, status="skipped")
    height, width = source.pixels.shape[:2]
    if on_color == "copy":
        with watch.stage("write"):
            _save(studio, named.own, data)
        output = Output(named.own, 1, width, height, len(data), record.sha256, tone, None)
        return replace(record, status="copied", outputs=(output,), warnings=_warnings(named, output))
    with watch.stage("predict"):
        chroma = studio.predict(model_luminance(source.pixels, studio.size)[None])[0]
    with _own_fault(), watch.stage("merge"):
        pixels = recolor(source.pixels, chroma)
        vivid = round(colourfulness(_sampled(pixels)), 1)
    with _own_fault(), watch.stage("encode"):
        file_format = photo.output_format(studio.maker.settings.format, source.format)
        file = photo.encode(pixels, file_format, source.metadata)
    name = named.output(file_format)
    with watch.stage("write"):
        _save(studio, name, file)
    output = Output(name, 1, width, height, len(file), _sha256(file), tone, vivid)
    return replace(record, status="written", outputs=(output,), warnings=_warnings(named, output))


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


def _warnings(named: Named, output: Output) -> tuple[str, ...]:
    if output.name.startswith(named.source.name):
        return ()
    return (f"written as {output.name}, as another photo has the name",)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_intact(record: Record, output: str) -> bool:
    """Whether the files of a record are in the output folder, byte by byte."""
    try:
        return all(_sha256(storage.read(storage.join(output, one.name))) == one.sha256 for one in record.outputs)
    except storage.IO_ERRORS:
        return False
