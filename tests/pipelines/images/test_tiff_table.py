import contextlib
import io
import struct

import bomb_tiffs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from pipelines.images import tiff_table


def tiff_of(**options: object) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **options) as file:
        tags = [(65_000, "s", 0, "private", True), (65_001, "H", 3, (7, 8, 9), True), (65_002, "d", 1, 0.5, True)]
        file.write(np.zeros((9, 5), np.uint16), metadata=None, extratags=tags)
    return buffer.getvalue()


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("bigtiff", [False, True])
def test_a_table_is_as_tifffile_reads_it(byteorder, bigtiff):
    data = tiff_of(bigtiff=bigtiff, byteorder=byteorder)
    table = tiff_table.parse(data, tiff_table.first_offset(data))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        (page,) = file.pages
        for entry, tag in zip(table.entries, page.tags.values(), strict=True):
            assert (entry.tag, entry.type) == (tag.code, tag.dtype)
            assert (entry.at, entry.position) == (tag.valueoffset, tag.offset)
        assert table.count == len(page.tags)
        assert table.offset == page.offset
    assert (table.layout.order, table.layout.is_big) == (byteorder, bigtiff)
    assert data[table.end : table.end + 4] == bytes(4)


def test_numbers_are_read_on_demand():
    data = tiff_of()
    table = tiff_table.parse(data, tiff_table.first_offset(data))
    assert (table.number(256), table.number(257), table.number(258)) == (5, 9, 16)
    assert table.numbers(65_001) == (7, 8, 9)
    assert table.numbers(65_003) == table.numbers(65_002) == ()
    assert table.number(65_003, 3) == table.number(65_002, 3) == 3


def test_values_beyond_the_file_have_no_numbers():
    data = b"II*\0" + struct.pack("<I", 8) + bomb_tiffs.directory([(256, 3, 1, 5), (258, 3, 3, 9999)])
    table = tiff_table.parse(data, 8)
    assert [entry.tag for entry in table.entries] == [256, 258]
    assert table.number(258, 1) == 1
    assert table.numbers(258) == ()


def test_no_more_than_4096_entries_are_parsed():
    data = b"II*\0" + struct.pack("<I", 8) + bomb_tiffs.directory([(256, 3, 1, 5)] * 5000)
    table = tiff_table.parse(data, 8)
    assert (len(table.entries), table.count) == (4096, 5000)


@given(st.binary(max_size=200), st.sampled_from(tiff_table.HEADERS))
def test_random_bytes_are_parsed_or_a_value_error(garbage, header):
    data = header + garbage
    with contextlib.suppress(ValueError):
        table = tiff_table.parse(data, tiff_table.first_offset(data))
        for entry in table.entries:
            table.number(entry.tag)
            table.numbers(entry.tag)


@pytest.mark.parametrize("data", [b"", b"II", b"JFIF", b"II*\0\1"])
def test_what_is_no_tiff_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"no TIFF header|cut short"):
        tiff_table.first_offset(data)
