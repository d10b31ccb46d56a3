import io
import tracemalloc

import bomb_tiffs
import bombs
import numpy as np
import pytest
from photo_files import file_of
from PIL import ExifTags, Image

from pipelines.images import decode  # noqa: F401 (installs them)

EXIF = b"Exif\0\0" + bomb_tiffs.overlapping_exif(5000, 65_000)
PIXELS = np.zeros((8, 8, 3), np.uint8)


def jpeg() -> bytes:
    """Without a resolution of its own, for which Pillow looks in EXIF when it opens the file."""
    data = file_of(PIXELS, "JPEG")
    assert data[2:4] == b"\xff\xe0"
    return data[:2] + bombs.segment(0xE1, EXIF) + data[20:]


def png() -> bytes:
    data = file_of(PIXELS, "PNG")
    return data[:33] + bombs.chunk(b"eXIf", EXIF[6:]) + data[33:]


@pytest.mark.parametrize("make", [jpeg, png])
def test_tags_that_lie_over_each_other_do_not_fill_the_memory(make):
    data = make()
    tracemalloc.start()
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.getexif().get(ExifTags.Base.Orientation)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(data)


def test_tags_of_a_plain_photo_are_read():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "d" * 5000
    for file_format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        with Image.open(io.BytesIO(file_of(PIXELS, file_format, exif=exif))) as image:
            found = image.getexif()
            assert found[ExifTags.Base.Orientation] == 6
            assert found[ExifTags.Base.ImageDescription] == "d" * 5000
