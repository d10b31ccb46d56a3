"""Files that are cut short: the rows that are there, and grey for the rest, where the user asks for it.

Pillow's decoders write rows into a picture that exists already, so that it is made grey before they start.
"""

import io

from PIL import Image, ImageFile

from pipelines.images import memory

WARNING = "truncated"
GREY_BY_ITSELF = ("JPEG", "MPO")
"""Formats whose decoder makes missing rows grey."""
_GREY: dict[str, int | float | tuple[int, ...]] = {
    "1": 0,
    "L": 128,
    "I": 32768,
    "I;16": 32768,
    "I;16B": 32768,
    "F": 0.5,
    "LA": (128, 255),
    "RGBA": (128, 128, 128, 255),
    "CMYK": (0, 0, 0, 127),
    "LAB": (128, 0, 0),
}
_SIGNS = ("truncated", "cut short", "broken", "decoder error", "-2")


def is_so(error: BaseException) -> bool:
    """Return whether an error of Pillow may mean that a file is cut short."""
    return any(sign in str(error) for sign in _SIGNS)


def loaded(data: bytes, file_format: str) -> Image.Image | None:
    """Decode as many rows as there are.

    Args:
        data: the file.
        file_format: by Pillow's name.

    Returns:
        the picture, loaded, with the rest grey, a TIFF upright; None if there is not a single row.
    """
    with Image.open(io.BytesIO(data), formats=(file_format,)) as image:
        blank = Image.new(image.mode, image.size, _grey_of(image))
        image.im = blank.im.copy()
        before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
        try:
            with memory.suppressed(OSError, SyntaxError, ValueError):
                image.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before
        found = image._new(image.im)  # as it is: to load it again would fail again
        found.format = image.format
        if found.mode == blank.mode and found.tobytes() == blank.tobytes():
            return None
        return found


def _grey_of(image: Image.Image) -> int | float | tuple[int, ...]:
    if image.mode == "P" and image.palette is not None:
        colours = image.palette.colors
        return min(colours.values(), key=lambda one: _distance(one, colours), default=0)
    return _GREY.get(image.mode, (128,) * len(image.getbands()))


def _distance(index: int, colours: dict[tuple[int, ...], int]) -> int:
    colour = next(one for one, number in colours.items() if number == index)
    return sum(abs(value - 128) for value in colour[:3])
