import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import icc, pages, tiff_directory, tiff_writer
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_tags import EXIF_IFD, MAKER_NOTE

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])
DEEP = SMALL.astype(np.uint16) * 257 + 3
LARGE = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
PROFILE = icc.srgb_profile()


@pytest.mark.parametrize("order", "<>")
def test_other_readers_find_the_same_pixels(order):
    pictures = [LARGE, DEEP, SMALL]
    data = tiff_writer.write([(picture, Metadata(exif=Directory(order=order))) for picture in pictures], PROFILE)
    assert data[:2] == (b"II" if order == "<" else b"MM")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert len(file.pages[0].dataoffsets) > 1
        for page, expected in zip(file.pages, pictures, strict=True):
            np.testing.assert_array_equal(page.asarray(), expected)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), LARGE)
        assert image.info["icc_profile"] == PROFILE


def big_endian_scan(*said: dict[int, Field]) -> bytes:
    """A file of grey pages, each of which says no more than it is told to."""
    data = tiff_directory.header(">")
    for index, fields in enumerate(said):
        directory = Directory(order=">", fields=dict(fields))
        for tag, value in {256: 80, 257: 96, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 96, 279: 7680}.items():
            directory.put(tag, 4, value)
        directory.put(273, 4, len(data) + directory.size)
        table = tiff_directory.write(directory, len(data)).ljust(directory.size, b"\0")
        following = len(data) + len(table) + SMALL[..., 0].size if index + 1 < len(said) else 0
        link = directory.table_size - 4
        data += table[:link] + struct.pack(">I", following) + table[link + 4 :] + SMALL[..., 0].tobytes()
    return data


def test_pages_of_a_big_endian_file_stay_readable_if_the_first_says_nothing():
    scan = big_endian_scan({}, {305: Field(type=2, data=b"ScanSoft 8\0")})
    found = [(np.dstack([page.pixels] * 3), page.metadata) for page in pages.read(scan)]
    assert [len(said.exif.fields) for _, said in found] == [0, 1]
    with tifffile.TiffFile(io.BytesIO(tiff_writer.write(found, PROFILE))) as result:
        for page in result.pages:
            np.testing.assert_array_equal(page.asarray()[..., 0], SMALL[..., 0])
        assert result.pages[1].tags["Software"].value == "ScanSoft 8"


def test_what_a_page_says_is_written():
    said = Metadata(
        exif=Directory(
            order="<",
            fields={
                315: Field(type=2, data=b"Grete\0"),
                258: Field(type=3, data=b"\1\0"),
                330: Field(type=4, data=bytes(4)),
            },
        ),
        xmp=b"<x/>",
        iptc=b"\x1c\x02\x5a\0\2Ab",
        dpi=(300.0, 150.5),
        comment=b"snow",
    )
    with tifffile.TiffFile(io.BytesIO(tiff_writer.write([(SMALL, said)], PROFILE))) as file:
        tags = {tag.code: tag.value for tag in file.pages[0].tags.values()}
        tag = file.pages[0].tags[33723]
        assert tag.dtype == tifffile.DATATYPE.LONG  # what ExifTool takes for valid; the bytes are as they are
        file.filehandle.seek(tag.valueoffset)
        iptc = file.filehandle.read(4 * tag.count)
    assert (tags[315], tags[270], tags[700]) == ("Grete", "snow", b"<x/>")
    assert iptc == b"\x1c\x02\x5a\0\2Ab\0"
    assert (tags[282], tags[283], tags[296]) == ((300, 1), (301, 2), 2)
    assert tags[258] == (8, 8, 8)
    assert 330 not in tags


def test_a_maker_note_stays_at_its_place_in_the_file():
    note = Field(type=7, data=b"note" * 20, at=4000)
    exif = Directory(order="<", fields={}, children={EXIF_IFD: Directory(order="<", fields={MAKER_NOTE: note})})
    data = tiff_writer.write([(SMALL, Metadata(exif=exif))], PROFILE)
    assert data[4000:4080] == note.data
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), SMALL)
        assert image.getexif().get_ifd(EXIF_IFD)[MAKER_NOTE] == note.data


def test_a_file_above_4_gb_is_too_large(monkeypatch):
    monkeypatch.setattr(tiff_writer, "_MAX_BYTES", 100_000)
    with pytest.raises(Rejected, match="too_large"):
        tiff_writer.write([(LARGE, Metadata())], PROFILE)
