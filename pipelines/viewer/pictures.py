"""Make small pictures of photos for the report, in child processes, because anybody's files may be broken.

This module imports neither Beam nor TensorFlow, see `pipelines.runtime.photo_server`.
"""

import io
from collections.abc import Iterator, Mapping, Set

from PIL import Image

from pipelines.images import decode, pages, samples
from pipelines.runtime.photo_server import Parent
from tfrecords.color import Bytes

SIDE = 640
QUALITY = 80


def draw(parent: Parent, data: bytes, wanted: Mapping[int, float]) -> None:
    """Send each wanted page of a file to the parent as a small JPEG, in a question ``(page, file)`` without an answer.

    Args:
        parent: the process that wants the pictures.
        data: the bytes of the photo.
        wanted: the share of the rows that is shown of each page; pages that the file does not have are ignored. They
            count from 1.

    Raises:
        Rejected: a page cannot be read; the pages before it were sent.
    """
    for page, pixels in _pages(data, wanted.keys()):
        parent.ask((page, _encoded(pixels[: max(1, round(wanted[page] * pixels.shape[0]))])))


def _pages(data: bytes, wanted: Set[int]) -> Iterator[tuple[int, Bytes]]:
    """Yield the number and pixels of each wanted page: uint8 ``[H, W]`` or ``[H, W, 3]``."""
    if wanted == {1}:
        yield 1, decode.decode(data, shrink_to=SIDE).pixels
        return
    for page in pages.read(data):
        if page.index + 1 in wanted:
            yield page.index + 1, samples.to_bytes(page.pixels)


def _encoded(pixels: Bytes) -> bytes:
    small = Image.fromarray(pixels)
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
