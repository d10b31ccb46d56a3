"""Read the hints of one photo from the bytes of its hint file. This is work of the process that opens photos."""

import io

import numpy as np
from PIL import Image

from model.guidance import hints
from model.guidance.hints import Hints
from pipelines.errors import Rejected
from pipelines.guidance import points
from pipelines.images.memory import out_of_memory
from tfrecords.color import Pixels

BAD_HINT = "bad_hint"
"""The reason of a photo, or the warning on it, whose hint file cannot be used."""
MOST_PIXELS = 25_000_000
"""The number of pixels that a picture of hints may have."""
_PNG = b"\x89PNG"


def read(data: bytes, photo: Pixels) -> Hints:
    """Return the hints of a photo.

    Args:
        data: of its hint file: PNG or JSON.
        photo: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB, upright.

    Raises:
        Rejected: ``bad_hint``: the file is broken, is too large, or has no hints.
    """
    try:
        if data.startswith(_PNG):
            found = _of_picture(data, photo)
        else:
            found = hints.of_points(points.of_json(data), *photo.shape[:2])
    except Exception as error:  # Pillow raises many kinds
        if out_of_memory(error):
            raise
        raise Rejected(BAD_HINT, f"its hint file cannot be used: {error}"[:200]) from error
    if not found.given.any():
        raise Rejected(BAD_HINT, "its hint file has no hints: no pixel is half opaque, or differs from the photo")
    return found


def read_if_good(data: bytes, photo: Pixels, on_bad_hint: str, warned: list[str]) -> Hints | None:
    """Return the hints of a photo; None if they are broken and may be ignored, which is added to the warnings.

    Args:
        data: see `read`.
        photo: see `read`.
        on_bad_hint: ``reject`` or ``ignore``.
        warned: the warnings on the photo.

    Raises:
        Rejected: see `read`.
    """
    try:
        return read(data, photo)
    except Rejected:
        if on_bad_hint == "reject":
            raise
        warned.append(BAD_HINT)
        return None


def _of_picture(data: bytes, photo: Pixels) -> Hints:
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"it has more than {MOST_PIXELS // 1_000_000} megapixels; make it smaller")
        layer = np.asarray(image.convert("RGBA"))
    # Programs that paint may add an alpha channel to a copy of the photo.
    if (layer[..., 3] == 255).all():
        return hints.of_copy(np.ascontiguousarray(layer[..., :3]), photo)
    return hints.of_layer(layer)
