"""JPEGs are not decoded by Pillow where they need nothing else; it must not be told from the pixels or the verdicts."""

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from pipelines.errors import Rejected
from pipelines.images.decode import decode


def by_pillow(data: bytes) -> np.ndarray | None:
    """Pillow's pixels; None where it finds the file broken."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError):
        return None


def by_us(data: bytes) -> np.ndarray | None:
    try:
        return decode(data).pixels
    except Rejected as verdict:
        return None if verdict.reason == "unreadable" else np.empty(0)


@pytest.fixture(scope="module")
def jpegs(photos, encoded: Callable[..., bytes]) -> list[bytes]:
    """One with an odd side of every kind that Pillow writes."""
    kinds = [
        {"subsampling": subsampling, "progressive": progressive, "quality": quality}
        for subsampling, quality in ((0, 97), (1, 40), (2, 85))
        for progressive in (False, True)
    ]
    crops = [photo[20:117, 60:191] for photo in photos.values()]
    return [encoded(crops[index % len(crops)], "JPEG", **kind) for index, kind in enumerate(kinds)]


def test_whole_ones_have_the_pixels_that_pillow_sees(jpegs):
    for data in jpegs:
        for behind in (b"", b"bytes behind the end"):
            np.testing.assert_array_equal(by_us(data + behind), by_pillow(data))


def test_large_ones_are_decoded_smaller_as_pillow_does(photos, encoded):
    data = encoded(photos["chelsea"], "JPEG", quality=90)
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (100, 100))
        smaller = np.asarray(image)
    assert smaller.shape == (150, 226, 3)
    photo = decode(data, shrink_to=100)
    np.testing.assert_array_equal(photo.pixels, smaller)
    assert (photo.height, photo.width) == photos["chelsea"].shape[:2]


def test_cut_short_they_are_rejected(jpegs):
    draw = random.Random(0)
    for data in jpegs:
        for _ in range(10):
            cut = data[: draw.randrange(2, len(data) - 2)]
            assert by_pillow(cut) is None
            assert by_us(cut) is None


def test_damaged_ones_are_what_pillow_makes_of_them(jpegs):
    draw = random.Random(1)
    rejected = 0
    for data in jpegs:
        for attempt in range(40):
            damaged = bytearray(data)
            for _ in range(draw.randrange(1, 4)):
                damaged[draw.randrange(2, len(data) if attempt % 2 else 700)] = draw.randrange(256)
            expected, found = by_pillow(bytes(damaged)), by_us(bytes(damaged))
            if expected is not None and found is None:
                # Pillow fills rows that are missing with mid-grey, and says nothing.
                assert np.ptp(expected[-16:].astype(int)) <= 2
                continue
            assert (expected is None) == (found is None)
            rejected += found is None
            if expected is not None and found is not None and found.ndim == 3:
                np.testing.assert_array_equal(found, expected)
    assert 0 < rejected < 200
