import numpy as np
import pytest
from photo_files import file_of

from pipelines.images import webp


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0"}], ids=["VP8", "VP8L", "VP8X"])
@pytest.mark.parametrize("size", [(1, 1), (300, 17), (5, 1000)])
def test_the_size_of_a_webp_is_in_its_header(options, size):
    data = file_of(np.zeros((*size, 3), np.uint8), "WEBP", **options)
    assert webp.size(data) == size[::-1]
    assert webp.size(data[:25]) is None


def test_no_other_format_has_that_size(encoded, photos):
    assert webp.size(encoded(photos["coffee"], "PNG")) is None
    assert webp.size(b"") is None
