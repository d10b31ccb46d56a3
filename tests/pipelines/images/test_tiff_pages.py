import contextlib
import io
import struct

import bomb_tiffs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines.images import pages, tiff_directory, tiff_pages, tiff_table, tiff_tags


def tiff_of(count: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **options) as file:
        for index in range(count):
            file.write(np.full((8, 8 + index), index, np.uint8), metadata=None)
    return buffer.getvalue()


@pytest.mark.parametrize("bigtiff", [False, True])
def test_the_chain_of_a_file(bigtiff):
    data = tiff_of(3, bigtiff=bigtiff)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert [page.offset for page in tiff_pages.chain(data)] == [page.offset for page in file.pages]
    assert [tiff_pages.size_of(page).width for page in tiff_pages.chain(data)] == [8, 9, 10]
    assert tiff_pages.first(data) == next(tiff_pages.chain(data))


def test_any_page_can_be_the_first():
    data = tiff_of(3)
    for index, page in enumerate(tiff_pages.chain(data)):
        with Image.open(io.BytesIO(tiff_pages.as_first(page).data)) as image:
            assert image.size == (8 + index, 8)


@given(st.binary(max_size=200), st.sampled_from(tiff_table.HEADERS))
def test_random_bytes_are_a_chain_or_a_value_error(garbage, header):
    data = header + garbage
    with contextlib.suppress(ValueError):
        found = [page.offset for page in tiff_pages.chain(data)]
        assert len(found) == len(set(found))
    with contextlib.suppress(ValueError):
        without = tiff_pages.without_overlaps(tiff_pages.first(data))
        assert tiff_pages.without_overlaps(without) is without


def test_directories_that_lie_over_each_other_are_refused():
    """Every fourth byte starts a directory of 255 entries, and each names the next one."""
    step, count = 4, 400
    data = bytearray(b"II*\0" + struct.pack("<I", 8) + b"\xff\0" * 4000)
    for index in range(count):
        struct.pack_into("<I", data, 8 + step * index + 2 + 12 * 255, 8 + step * (index + 1))
        struct.pack_into("<H", data, 8 + step * index, 255)
    with pytest.raises(ValueError, match="overlapping directories"):
        list(tiff_pages.chain(bytes(data)))


def test_many_directories_are_followed_at_once():
    """Of 6 bytes each, in a file of a megabyte: looking each up in a list took minutes."""
    pages = 170_000
    chain = b"".join(struct.pack("<HI", 0, 14 + 6 * index) for index in range(pages))
    assert len(list(tiff_pages.chain(b"II*\0" + struct.pack("<I", 8) + chain))) == pages


@pytest.mark.parametrize("bigtiff", [False, True])
def test_values_that_lie_over_others_are_left_out(bigtiff):
    if bigtiff:
        data = tiff_of(1, bigtiff=True)
        entries = b"".join(struct.pack("<HHQQ", tag, 7, len(data), 0) for tag in range(50_000, 50_100))
        (page,) = tiff_pages.chain(data)
        table = data[page.offset + 8 : page.end]
        longer = data + struct.pack("<Q", page.count + 100) + table + entries + bytes(8)
        data = tiff_pages.as_first(tiff_table.parse(longer, len(data))).data
    else:
        data = bomb_tiffs.overlapping_tags(100, 8000)
    page = tiff_pages.first(data)
    without = tiff_pages.without_overlaps(page)
    lean = without.data
    assert len(lean) < 2 * len(data)
    with Image.open(io.BytesIO(lean)) as image, Image.open(io.BytesIO(data)) as before:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(before))
    assert without is not page
    assert tiff_pages.without_overlaps(without) is without
    assert sum(len(value.data) for value in tiff_directory.read(lean).fields.values()) <= len(lean)


def test_a_plain_file_stays_as_it_is():
    page = tiff_pages.first(tiff_of(2))
    assert tiff_pages.without_overlaps(page) is page
    garbage = bomb_tiffs.directory([*bomb_tiffs.plain_entries(8, 8), (50_000, 7, 0xFFFFFFFF, 8), (50_001, 2, 6, 8)])
    data = b"II*\0" + struct.pack("<I", 72) + bytes(64) + garbage
    page = tiff_pages.first(data)
    assert tiff_pages.without_overlaps(page) is page
    assert tiff_directory.read(data).fields.keys() >= {256, 50_001}


@pytest.mark.parametrize(("bits", "warnings"), [(16, ()), (8, ("size_suspected",))])
def test_a_page_with_twice_the_bytes_that_it_needs_is_suspected(bits, warnings):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.arange(64, dtype=np.uint16).reshape(8, 8), metadata=None)
    told = [struct.pack("<HHII", tiff_tags.BITS_PER_SAMPLE, 3, 1, depth) for depth in (16, bits)]
    assert told[0] in buffer.getvalue()
    (page,) = pages.read(buffer.getvalue().replace(*told))
    assert page.metadata.warnings == warnings
