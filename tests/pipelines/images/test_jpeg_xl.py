import imagecodecs
import numpy as np
import pytest

from pipelines.images import jpeg_xl


@pytest.mark.parametrize("size", [(8, 8), (256, 256), (320, 240), (1001, 7), (3000, 1)])
@pytest.mark.parametrize("boxes", [False, True])
def test_the_size_is_that_of_the_picture(size, boxes):
    data = bytes(imagecodecs.jpegxl_encode(np.zeros(size[::-1], np.uint8), usecontainer=boxes))
    assert jpeg_xl.is_one(data)
    assert jpeg_xl.size(data) == size


@pytest.mark.parametrize(
    "data", [b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n", b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(8)]
)
def test_a_header_that_is_cut_short(data):
    with pytest.raises(ValueError, match="JPEG XL"):
        jpeg_xl.size(data)
