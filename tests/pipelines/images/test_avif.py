import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from skimage import data as skimage_data

from pipelines.images import avif, pages

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:64, 100:180])


@pytest.mark.parametrize(("bits", "warnings"), [(8, ()), (10, ("depth_reduced",)), (12, ("depth_reduced",))])
def test_bits_of_an_avif_that_are_not_read_are_warned_of(bits, warnings):
    values = PHOTO if bits == 8 else PHOTO.astype(np.uint16) << bits - 8
    data = bytes(imagecodecs.avif_encode(values, level=95, bitspersample=bits))
    assert avif.bits(data) == bits
    (page,) = pages.read(data)
    assert page.metadata.warnings == warnings
    np.testing.assert_array_equal(page.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("data", [b"", b"no AVIF", b"....av1C\x81\x3f"])
def test_a_depth_that_cannot_be_found(data):
    assert avif.bits(data) == 0
