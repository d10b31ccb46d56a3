import io
import struct

import numpy as np
import pytest
import tifffile
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import decode, pages, tiff_pictures

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:128, 100:228])
PREVIEW = np.ascontiguousarray(PHOTO[::4, ::4])
SENSOR = PHOTO[..., 0].astype(np.uint16) * 16


def tiff_of(*pictures: tuple[np.ndarray, dict[str, object]]) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for picture, options in pictures:
            file.write(picture, metadata=None, **options)
    return buffer.getvalue()


def preview(sub_ifds: int = 1, **options: object) -> tuple[np.ndarray, dict[str, object]]:
    return PREVIEW, {"subfiletype": 1, "photometric": "rgb", "subifds": sub_ifds, **options}


def read_by_both(data: bytes) -> np.ndarray:
    """The pixels, as `colorize` and `prepare` read them."""
    (page,) = pages.read(data)
    np.testing.assert_array_equal(decode.decode(data).pixels, page.pixels)
    return page.pixels


def reason_of(data: bytes) -> str:
    for read in (lambda: list(pages.read(data)), lambda: decode.decode(data)):
        with pytest.raises(Rejected) as raised:
            read()
    assert raised.value.detail
    return raised.value.reason


def test_a_photo_in_a_sub_ifd_is_taken_and_not_its_preview():
    np.testing.assert_array_equal(read_by_both(tiff_of(preview(), (PHOTO, {"photometric": "rgb"}))), PHOTO)
    unmarked = preview(subfiletype=0)
    np.testing.assert_array_equal(read_by_both(tiff_of(unmarked, (PHOTO, {"photometric": "rgb"}))), PHOTO)


def test_what_the_preview_says_of_the_photo_is_carried_over():
    tags = [(274, 3, 1, 6, True), (315, 2, 0, "Grete Mueller", True)]
    data = tiff_of(preview(extratags=tags), (PHOTO, {"photometric": "rgb"}))
    (page,) = pages.read(data)
    np.testing.assert_array_equal(page.pixels, np.rot90(PHOTO, -1))
    assert page.metadata.exif.fields[315].data == b"Grete Mueller\0"


def test_a_smaller_version_in_a_sub_ifd_is_not_taken():
    data = tiff_of((PHOTO, {"photometric": "rgb", "subifds": 1}), (PREVIEW, {"photometric": "rgb", "subfiletype": 1}))
    np.testing.assert_array_equal(read_by_both(data), PHOTO)


@pytest.mark.parametrize("order", ["first", "last", "between"])
def test_thumbnails_anywhere_in_the_chain_are_left_out(order):
    thumbnail, photo = (PREVIEW, {"subfiletype": 1}), (PHOTO, {})
    chains = {"first": [thumbnail, photo], "last": [photo, thumbnail], "between": [photo, thumbnail, photo]}
    found = list(pages.read(tiff_of(*chains[order])))
    assert [page.pixels.shape for page in found] == [PHOTO.shape] * (2 if order == "between" else 1)
    np.testing.assert_array_equal(decode.decode(tiff_of(*chains[order])).pixels, PHOTO)


def test_an_old_mark_of_thumbnails_counts_too():
    old = (PREVIEW, {"extratags": [(255, 3, 1, 2, True)], "subfiletype": None})
    data = tiff_of(old, (PHOTO, {}))
    table = tiff_pictures.of_file(data)
    assert [one.number(256) for one in table] in ([128], [32, 128])


def test_a_single_picture_that_is_marked_as_a_thumbnail_is_the_photo():
    np.testing.assert_array_equal(read_by_both(tiff_of((PHOTO, {"subfiletype": 1}))), PHOTO)


RAW = {
    "filter array in a SubIFD": tiff_of(preview(), (SENSOR, {"photometric": 32803})),
    "filter array": tiff_of((SENSOR, {"photometric": 32803})),
    "linear raw": tiff_of(preview(), (PHOTO.astype(np.uint16), {"photometric": 34892})),
    "filter array in the chain": tiff_of((PREVIEW, {"subfiletype": 1}), (SENSOR, {"photometric": 32803})),
    "DNG of previews alone": tiff_of(preview(0, extratags=[(50706, 1, 4, (1, 4, 0, 0), True)])),
    "Canon": tiff_of((PREVIEW, {}))[:8] + b"CR\x02\0" + tiff_of((PREVIEW, {}))[12:],
}


@pytest.mark.parametrize("data", RAW.values(), ids=RAW)
def test_the_preview_of_a_raw_file_is_never_the_photo(data):
    assert reason_of(data) == "camera_raw"


def test_a_thumbnail_whose_photo_is_missing_is_not_the_photo():
    data = bytearray(tiff_of(preview(), (PHOTO, {"photometric": "rgb"})))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        at = file.pages[0].tags["SubIFDs"].valueoffset
    struct.pack_into("<I", data, at, len(data) + 1000)
    assert reason_of(bytes(data)) == "unreadable"


def test_directories_that_name_each_other_end():
    data = bytearray(tiff_of(preview(), (PHOTO, {"photometric": "rgb"})))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        first = file.pages[0].tags["SubIFDs"].valueoffset
    struct.pack_into("<I", data, first, struct.unpack_from("<I", data, 4)[0])
    assert reason_of(bytes(data)) == "unreadable"
