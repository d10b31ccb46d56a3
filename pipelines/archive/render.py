"""Turn the bytes of a photo into the bytes of its colour files. This is the work of a child process in `colorize`.

The model is not here: luminance is sent to the parent process as a question, and chroma comes back as the answer.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal, Protocol

import numpy as np

from model import borders, stains
from model.framing import recolor_picture
from model.guidance import guided
from model.guidance.guided import Question
from model.guidance.hints import paint
from model.upsampling import recolor
from pipelines.archive.render_options import RenderOptions
from pipelines.archive.tone import COLOR, tone_of
from pipelines.errors import Rejected
from pipelines.guidance import reading
from pipelines.images import credentials, encode, icc, label, pages, png_writer, samples
from pipelines.images.credentials import Asked
from pipelines.images.formats import output_format
from pipelines.images.memory import out_of_memory
from pipelines.images.metadata import Metadata
from pipelines.images.pages import Page
from pipelines.images.reading import Reading
from pipelines.runtime.stopwatch import Stopwatch
from tfrecords import squeezing
from tfrecords.color import Pixels, colourfulness

STAINED = "stain_suspected"
"""Warning that the colours look like stains, see `model.stains`."""
ALPHA_FLATTENED = "alpha_flattened"
"""Warning that a transparent photo was laid on white."""
_MEASURED_PIXELS = 1 << 16


class Parent(Protocol):
    """The process that predicts and takes the files: `pipelines.runtime.photo_server.Parent`."""

    def ask(self, question: Question | Asked) -> Any:
        """Return the chroma of a picture, float32 ``[h, w, 2]``, or a signature."""

    def give(self, data: bytes) -> None:
        """Take a finished file."""


@dataclass(frozen=True, kw_only=True)
class RenderedPage:
    """The facts about a page; ``index`` counts from 0, and sizes are in pixels, upright.

    Attributes:
        picture: left, top, right and bottom of the picture within its border; None if no border was found.
        label: rows of the margin that was added below, with a line of text; 0 for none.
    """

    index: int
    count: int
    width: int
    height: int
    tone: str
    colourfulness: float | None = None
    picture: tuple[int, int, int, int] | None = None
    label: int = 0


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The result for a photo.

    Attributes:
        status: ``in_color`` if all pages are in colour and ``on_color`` is not ``recolor``: no file was made.
        reason: code of a rejection, else ''.
        detail: of a rejection, as a readable message, else ''.
        format: of the source, in Pillow's spelling; '' if unknown.
        file_format: of the files that were made, in Pillow's spelling.
        pages: those that were made or, for a photo in colour, examined.
        warnings: about metadata and colours.
        unsigned: SHA-256 of each file before it was signed; empty if none was.
        milliseconds: by stage.
    """

    status: Literal["written", "in_color", "rejected"] = "rejected"
    reason: str = ""
    detail: str = ""
    format: str = ""
    file_format: str = ""
    pages: tuple[RenderedPage, ...] = ()
    warnings: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict)


def warm_up() -> None:
    """Load the compiled loops that shrink, merge and write photos, and compile them where no process has done so yet.

    It is done before the first photo, whose limits on time and memory do not count it.
    """
    chroma = np.zeros((2, 2, 2), np.float32)
    for shape in ((2, 2), (2, 2, 3)):
        recolor(np.zeros(shape, np.uint8), chroma)
    squeezing.averaged(np.zeros((1 << 10, 1 << 10), np.uint8), 3, 3)
    png_writer.write(np.zeros((2, 2, 3), np.uint8))


def render(parent: Parent, data: bytes, options: RenderOptions) -> Rendered:
    """Render a photo and give its files to the parent: one file, or one per page if a multi-page TIFF becomes another.

    Args:
        parent: predicts, and takes the files.
        data: the bytes of the photo.
        options: how to render it.

    Raises:
        Exception: there is too little memory (`pipelines.images.memory.out_of_memory`), or this code has a bug.
    """
    watch = Stopwatch()
    rendered = Rendered()
    warned: list[str] = []
    try:
        decoded = _decoded(data, options.reading, warned, watch)
        first = next(decoded)
        rendered = replace(rendered, format=first.format)
        in_color = None if options.on_color == "recolor" else _pages_in_color(data, options.reading, watch)
        if in_color is not None:
            rendered = replace(rendered, status="in_color", pages=in_color)
        else:
            rendered = _written(rendered, chain([first], decoded), parent, options, watch, warned, data)
    except Rejected as verdict:
        if out_of_memory(verdict):
            raise  # no verdict on the photo until its limits are compared with the machine's memory
        rendered = replace(rendered, reason=verdict.reason, detail=verdict.detail)
    return replace(rendered, milliseconds=dict(watch.milliseconds))


def _decoded(data: bytes, reading: Reading, warned: list[str], watch: Stopwatch) -> Iterator[Page]:
    decoded = pages.read(data, reading, warned)
    while True:
        with watch.stage("decode"):
            page = next(decoded, None)
        if page is None:
            return
        yield page


def _pages_in_color(data: bytes, reading: Reading, watch: Stopwatch) -> tuple[RenderedPage, ...] | None:
    """Return the pages of a photo if every page is in colour; else None."""
    found = []
    for page in _decoded(data, reading, [], watch):
        with watch.stage("predict"):
            tone = tone_of(page.pixels, page.chroma_step)
        if tone != COLOR:
            return None
        found.append(RenderedPage(index=page.index, count=page.count, width=page.width, height=page.height, tone=tone))
    return tuple(found)


def _written(
    rendered: Rendered,
    decoded: Iterable[Page],
    parent: Parent,
    options: RenderOptions,
    watch: Stopwatch,
    warned: list[str],
    scan: bytes,
) -> Rendered:
    file_format = output_format(options.format, rendered.format)
    made: list[RenderedPage] = []
    unsigned: list[str] = []
    mark = options.mark

    def colored(some: Iterable[Page]) -> Iterator[tuple[Pixels, Metadata]]:
        nonlocal mark
        for page in some:
            before = len(warned)
            pixels = _recolored(page, file_format, parent, options, watch, made, warned)
            # Hints that could not be used did not guide the page.
            mark = options.mark.without("hints") if reading.BAD_HINT in warned[before:] else options.mark
            yield pixels, page.metadata

    def encoded(some: Iterable[Page]) -> None:
        with _own_fault(), watch.stage("encode"):
            file = encode.encode(
                *(colored(some), file_format),
                quality=options.quality,
                bit_depth=options.bit_depth,
                color_space=options.color_space,
                mark=lambda: mark,
                warned=warned,
            )
            if options.claim is not None:
                unsigned.append(hashlib.sha256(file).hexdigest())
                scanned = scan, rendered.format
                file = credentials.sign(file, file_format, mark, options.claim, scanned, parent.ask)
        parent.give(file)

    # A TIFF takes all pages, one after the other; in other formats each page has its own file.
    if file_format == "TIFF":
        encoded(decoded)
    else:
        for page in decoded:
            encoded([page])
    warnings = tuple(dict.fromkeys(warned))
    rendered = replace(rendered, file_format=file_format, pages=tuple(made), unsigned=tuple(unsigned))
    return replace(rendered, status="written", warnings=warnings)


def _recolored(
    page: Page,
    file_format: str,
    parent: Parent,
    options: RenderOptions,
    watch: Stopwatch,
    made: list[RenderedPage],
    warned: list[str],
) -> Pixels:
    """Recolour one page, and append the facts about it to ``made`` and ``warned``."""
    deep = options.bit_depth == "keep" and file_format in encode.DEEP_FORMATS
    cut_out = page.cut_out
    if cut_out is not None and not (options.alpha == "keep" and file_format in encode.ALPHA_FORMATS):
        cut_out = None
        warned.append(ALPHA_FLATTENED)
    if options.bit_depth == "keep" and not deep and page.pixels.dtype == np.uint16:
        warned.append(pages.DEPTH_REDUCED)
    source = page.pixels if deep else samples.to_bytes(page.pixels)
    with watch.stage("predict"):
        picture = None if options.borders == "keep" else borders.find(source)
        is_known = options.borders != "keep" and source.dtype == np.uint8  # the tone is that of the 8-bit photo
        tone = tone_of(source, page.chroma_step, (lambda _: picture) if is_known else borders.find)
        hints = None
        if options.hints:
            place = page.index + 1, page.count
            hints = reading.read_if_good(options.hints, source, *place, options.on_bad_hint, warned)
        asked = guided.question(source, picture, options.size, hints)
        chroma = parent.ask(asked)
        if hints is None and stains.are_suspected(asked.seen, chroma):
            warned.append(STAINED)
    with _own_fault(), watch.stage("merge"):
        depth = 8 * source.dtype.itemsize
        if cut_out is not None:
            cut_out = cut_out if deep else samples.to_bytes(cut_out)
        base = source if cut_out is None else np.ascontiguousarray(samples.without_alpha(cut_out))
        below = label.rows(page.height, page.width) if options.label else 0
        pixels = recolor_picture(
            *(base, chroma, picture, depth, asked.seen, options.color_space, options.watermark), below=below
        )
        if hints is not None:
            paint(pixels, base, hints, picture, options.color_space)
        vivid = round(colourfulness(icc.in_srgb(_sampled(pixels), options.color_space)), 1)
    made.append(
        RenderedPage(
            index=page.index,
            count=page.count,
            width=page.width,
            height=page.height,
            tone=tone,
            colourfulness=vivid,
            picture=None if picture is None else picture.box(page.height, page.width),
            label=below,
        )
    )
    pixels = pixels if cut_out is None else samples.with_alpha(pixels, cut_out[..., -1])
    return label.add(pixels) if below else pixels


@contextmanager
def _own_fault() -> Iterator[None]:
    """Reject a photo for any error that its own pixels or metadata cause, including lack of memory."""
    try:
        yield
    except Rejected:
        raise
    except Exception as error:
        raise Rejected("failed", f"{type(error).__name__}: {error}"[:200]) from error


def _sampled(pixels: Pixels) -> Pixels:
    """Return every nth pixel of every nth row, enough to measure colour."""
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / _MEASURED_PIXELS) ** 0.5))
    return pixels[::step, ::step]
