import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from skimage import data as skimage_data

from pipelines.images import png_kernels, png_writer

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4]))
PICTURES = st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays.arrays(kind, SIZES))


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """Types and contents; checks what every reader checks."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, position = [], 8
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + size]
        assert struct.unpack_from(">I", data, position + 8 + size) == (zlib.crc32(kind + content),)
        found.append((kind, content))
        position += 12 + size
    return found


def read_by_opencv(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(found, cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@given(PICTURES)
def test_readers_find_the_same_pixels(pixels):
    data = png_writer.write(pixels)
    np.testing.assert_array_equal(read_by_opencv(data), pixels)
    if pixels.dtype == np.uint8:
        image = Image.open(io.BytesIO(data))
        assert image.mode == {3: "RGB", 4: "RGBA"}[pixels.shape[2]]
        np.testing.assert_array_equal(np.asarray(image), pixels)


def predicted(kind: int, left: int, above: int, corner: int) -> int:
    """The filters as section 9.2 defines them."""
    if kind == 4:
        initial = left + above - corner
        return min((left, above, corner), key=lambda near: abs(initial - near))
    return (0, left, above, (left + above) // 2)[kind]


def filtered(rows: np.ndarray, y: int, step: int, kind: int) -> list[int]:
    def at(row: int, x: int) -> int:
        return int(rows[row, x]) if row >= 0 and x >= 0 else 0

    return [
        (at(y, x) - predicted(kind, at(y, x - step), at(y - 1, x), at(y - 1, x - step))) % 256
        for x in range(rows.shape[1])
    ]


def check_filters(rows: np.ndarray, step: int) -> None:
    """Each row has the filter with the least sum, and what it leaves."""
    found = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    png_kernels.filter_rows(rows, step, found)
    for y, row in enumerate(found):
        tried = [filtered(rows, y, step, kind) for kind in range(5)]
        sums = [sum(min(rest, 256 - rest) for rest in one) for one in tried]
        assert row[0] == sums.index(min(sums))
        assert row[1:].tolist() == tried[row[0]]


@given(st.sampled_from([3, 4, 6, 8]), st.data())
def test_each_row_has_the_filter_that_leaves_least(step, data):
    shape = st.tuples(st.integers(1, 4), st.integers(1, 4).map(lambda pixels: pixels * step))
    check_filters(data.draw(arrays.arrays(np.uint8, shape)), step)


def test_filters_of_a_photo():
    rows = np.ascontiguousarray(skimage_data.astronaut()[:60, :90]).reshape(60, -1)
    check_filters(rows, 3)
    found = np.empty((60, 271), np.uint8)
    png_kernels.filter_rows(rows, 3, found)
    assert len(set(found[:, 0])) >= 3


def test_chunks_lie_before_the_pixels_which_come_in_parts():
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3), np.uint8)
    found = chunks_of(png_writer.write(noise, [(b"pHYs", b"123456789"), (b"tIME", b"1234567")]))
    kinds = [kind for kind, _ in found]
    assert kinds == [b"IHDR", b"pHYs", b"tIME", b"IDAT", b"IDAT", b"IEND"]
    assert found[1][1] == b"123456789"
    rows = zlib.decompress(b"".join(content for kind, content in found if kind == b"IDAT"))
    assert len(rows) == 800 * 2401


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_photos_are_smaller_than_by_zlib(name):
    photo = getattr(skimage_data, name)()
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG", compress_level=3)
    assert len(png_writer.write(photo)) < 1.02 * len(buffer.getvalue())


def test_what_is_compressed_is_a_zlib_stream():
    assert zlib.decompress(png_writer.compressed(b"profile" * 100)) == b"profile" * 100
