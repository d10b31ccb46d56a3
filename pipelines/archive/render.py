"""One photo from the bytes of its file to those of its colour files: what a child process does in `colorize`.

The model is not here: luminance goes to the parent process as a question, chroma comes back as the answer.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal, Protocol

from model.upsampling import model_luminance, recolor
from pipelines.errors import Rejected
from pipelines.images import encode, grayscale, pages, samples
from pipelines.images.encode import BitDepth
from pipelines.images.formats import output_format
from pipelines.images.memory import out_of_memory
from pipelines.images.metadata import Metadata
from pipelines.images.pages import Page
from pipelines.images.xmp import Mark
from pipelines.runtime.stopwatch import Stopwatch
from tfrecords.color import Pixels, colourfulness

COLOR = "color"
_MEASURED_PIXELS = 1 << 16
# Old prints fade unevenly and have stains. Of 104 historic scans 23 % are off one curve by more than what `prepare`
# allows a toned photo, 2 % by more than three times that; of colour photos 95 % are.
_STAINED = 3.0


class Parent(Protocol):
    """Who predicts, and takes the files: `pipelines.runtime.photo_server.Parent`."""

    def ask(self, question: Any) -> Any:
        """Returns the chroma, float32 ``[h, w, 2]``, of a luminance, float32 ``[S, S, 1]``."""

    def give(self, data: bytes) -> None:
        """Takes a file."""


@dataclass(frozen=True)
class RenderOptions:
    """How a photo is rendered.

    Attributes:
        size: side S of the model's input.
        mark: what says in the files that a machine coloured them.
        format: see `pipelines.archive.provenance.Settings`, as the following.
        quality: of JPEG and WebP.
        bit_depth: 8, or that of the source.
        on_color: what becomes of a photo that is in colour.
    """

    size: int
    mark: Mark
    format: str = "keep"
    quality: int = 95
    bit_depth: BitDepth = "8"
    on_color: str = "recolor"


@dataclass(frozen=True)
class RenderedPage:
    """What is known of a page; `index` counts from 0, sizes are those of the pixels, upright."""

    index: int
    count: int
    width: int
    height: int
    tone: str
    colourfulness: float | None = None


@dataclass(frozen=True)
class Rendered:
    """What became of a photo.

    Attributes:
        status: ``in_color`` when all pages are in colour and ``on_color`` is not ``recolor``: nothing was made.
        reason: code of a rejection, else ''.
        detail: of a rejection, for people, else ''.
        format: of the source, in Pillow's words; '' when it could not be told.
        file_format: of the files that were made, likewise.
        pages: those that were made or, of a photo in colour, looked at.
        warnings: about metadata.
        milliseconds: by stage.
    """

    status: Literal["written", "in_color", "rejected"] = "rejected"
    reason: str = ""
    detail: str = ""
    format: str = ""
    file_format: str = ""
    pages: tuple[RenderedPage, ...] = ()
    warnings: tuple[str, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict)


def render(parent: Parent, data: bytes, options: RenderOptions) -> Rendered:
    """Renders a photo and gives its files to the parent: one, or one for each page of a TIFF that becomes no TIFF.

    Args:
        parent: predicts, and takes the files.
        data: the photo.
        options: how.

    Raises:
        Exception: there is too little memory (`pipelines.images.memory.out_of_memory`), or this code has a fault.
    """
    watch = Stopwatch()
    rendered = Rendered()
    try:
        decoded = _decoded(data, watch)
        first = next(decoded)
        rendered = replace(rendered, format=first.format)
        in_color = None if options.on_color == "recolor" else _pages_in_color(data, watch)
        if in_color is not None:
            rendered = replace(rendered, status="in_color", pages=in_color)
        else:
            rendered = _written(rendered, chain([first], decoded), parent, options, watch)
    except Rejected as verdict:
        if out_of_memory(verdict):
            raise  # not a verdict on the photo, before its limits are compared with the machine's memory
        rendered = replace(rendered, reason=verdict.reason, detail=verdict.detail)
    return replace(rendered, milliseconds=dict(watch.milliseconds))


def _decoded(data: bytes, watch: Stopwatch) -> Iterator[Page]:
    decoded = pages.read(data)
    while True:
        with watch.stage("decode"):
            page = next(decoded, None)
        if page is None:
            return
        yield page


def _pages_in_color(data: bytes, watch: Stopwatch) -> tuple[RenderedPage, ...] | None:
    """The pages of a photo that is in colour on every one of them; else None."""
    found = []
    for page in _decoded(data, watch):
        with watch.stage("predict"):
            tone = tone_of(page.pixels, page.chroma_step)
        if tone != COLOR:
            return None
        found.append(RenderedPage(page.index, page.count, page.width, page.height, tone))
    return tuple(found)


def _written(
    rendered: Rendered, decoded: Iterable[Page], parent: Parent, options: RenderOptions, watch: Stopwatch
) -> Rendered:
    file_format = output_format(options.format, rendered.format)
    made: list[RenderedPage] = []
    warned: list[str] = []

    def colored(some: Iterable[Page]) -> Iterator[tuple[Pixels, Metadata]]:
        for page in some:
            pixels = _recolored(page, file_format, parent, options, watch, made)
            yield pixels, page.metadata

    def encoded(some: Iterable[Page]) -> None:
        with _own_fault(), watch.stage("encode"):
            file = encode.encode(
                *(colored(some), file_format),
                quality=options.quality,
                bit_depth=options.bit_depth,
                mark=options.mark,
                warned=warned,
            )
        parent.give(file)

    # A TIFF takes all pages, one by one; any other format has a file for each.
    if file_format == "TIFF":
        encoded(decoded)
    else:
        for page in decoded:
            encoded([page])
    warnings = tuple(dict.fromkeys(warned))
    return replace(rendered, status="written", file_format=file_format, pages=tuple(made), warnings=warnings)


def _recolored(
    page: Page, file_format: str, parent: Parent, options: RenderOptions, watch: Stopwatch, made: list[RenderedPage]
) -> Pixels:
    """Makes one page; what is known of it is added to ``made``."""
    deep = options.bit_depth == "keep" and file_format in encode.DEEP_FORMATS
    source = page.pixels if deep else samples.to_bytes(page.pixels)
    with watch.stage("predict"):
        tone = tone_of(source, page.chroma_step)
        seen = model_luminance(source, options.size)
        chroma = parent.ask(seen)
    with _own_fault(), watch.stage("merge"):
        pixels = recolor(source, chroma, 8 * source.dtype.itemsize, seen)
        vivid = round(colourfulness(samples.to_bytes(_sampled(pixels))), 1)
    made.append(RenderedPage(page.index, page.count, page.width, page.height, tone, vivid))
    return pixels


@contextmanager
def _own_fault() -> Iterator[None]:
    """Makes a rejection of whatever a photo's own pixels or metadata bring about, a lack of memory included."""
    try:
        yield
    except Rejected:
        raise
    except Exception as error:
        raise Rejected("failed", f"{type(error).__name__}: {error}"[:200]) from error


def tone_of(pixels: Pixels, chroma_step: int) -> str:
    """What a photo's colour is: ``grayscale``, ``near_gray``, ``toned`` or ``color``, see `pipelines.images.grayscale`.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        chroma_step: `pipelines.images.decode.Photo.chroma_step` of the file.
    """
    if pixels.ndim == 2:
        return "grayscale"
    verdict = grayscale.judge(samples.to_bytes(pixels), chroma_step)
    if verdict.reason is None and verdict.residual <= _STAINED * verdict.allowed:
        return "toned"
    return verdict.reason or COLOR


def _sampled(pixels: Pixels) -> Pixels:
    """Every nth pixel of every nth row: enough of them to measure colour by."""
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / _MEASURED_PIXELS) ** 0.5))
    return pixels[::step, ::step]
