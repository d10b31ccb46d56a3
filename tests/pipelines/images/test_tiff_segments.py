"""Strips and tiles that do not fill their page, against the same files when they are whole."""

import io
import struct

import numpy as np
import pytest
import skimage.data
import tifffile
from photo_files import file_of
from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import jpeg_markers, pages, tiff_pages, tiff_segments, tiff_tags

COFFEE = np.ascontiguousarray(skimage.data.coffee()[100:228, 200:392])
PAGE = skimage.data.page()[:150, :170] < 128


def fax(ink: np.ndarray, rows: int | None = None, **tags: int) -> bytes:
    """A page in Group 4, True where it is black."""
    info = {266: tags.get("fill", 1), **({278: rows} if rows else {})}
    return file_of(Image.fromarray(~ink), "TIFF", compression="group4", tiffinfo=info)


def tiled_fax(ink: np.ndarray, side: int) -> bytes:
    """The same in tiles, each of which is the only strip of a page that Pillow writes."""
    height, width = ink.shape
    padded = np.pad(ink, ((0, -height % side), (0, -width % side)))
    tiles = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            data = fax(padded[top : top + side, left : left + side])
            (tile,) = tiff_segments.of_page(tiff_pages.first(data))
            tiles.append(tile.data)
    offsets = np.cumsum([8, *map(len, tiles)])
    return _tiff(
        b"".join(tiles),
        {256: [width], 257: [height], 258: [1], 259: [4], 262: [1], 277: [1], 322: [side], 323: [side]}
        | {324: offsets[:-1].tolist(), 325: [len(tile) for tile in tiles]},
    )


def tiled_jpeg(parts: list[np.ndarray], width: int, height: int, side: int, photometric: int) -> bytes:
    """A page of JPEG tiles, which may have any size."""
    tiles = [file_of(part, "JPEG", subsampling=0, **({"keep_rgb": True} if photometric == 2 else {})) for part in parts]
    offsets = np.cumsum([8, *map(len, tiles)])
    return _tiff(
        b"".join(tiles),
        {256: [width], 257: [height], 258: [8, 8, 8], 259: [7], 262: [photometric], 277: [3], 322: [side], 323: [side]}
        | {324: offsets[:-1].tolist(), 325: [len(tile) for tile in tiles], 530: [1, 1]},
    )


def _tiff(stored: bytes, tags: dict[int, list[int]]) -> bytes:
    start = 8 + len(stored) + len(stored) % 2
    table, values = struct.pack("<H", len(tags)), b""
    behind = start + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        kind, code = (4, "I") if tag in (256, 257, 324, 325) else (3, "H")
        value = struct.pack(f"<{len(numbers)}{code}", *numbers)
        if len(value) > 4:
            values += value
            value = struct.pack("<I", behind + len(values) - len(value))
        table += struct.pack("<HHI", tag, kind, len(numbers)) + value.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", start) + stored.ljust(start - 8, b"\0") + table + bytes(4) + values


def only(data: bytes) -> np.ndarray:
    (page,) = pages.read(data)
    return page.pixels


def refused(data: bytes) -> str:
    with pytest.raises(Rejected) as raised:
        list(pages.read(data))
    assert raised.value.reason == "unreadable"
    return raised.value.detail


def with_byte_count(data: bytes, index: int, count: int) -> bytes:
    """The file with another number of bytes for one of its strips or tiles."""
    table = tiff_pages.first(data)
    (entry,) = (entry for entry in table.entries if entry.tag in (279, 325))
    step = {3: 2, 4: 4}[entry.type]
    changed = bytearray(data)
    changed[entry.at + step * index : entry.at + step * (index + 1)] = count.to_bytes(step, "little")
    return bytes(changed)


ENDINGS = {
    "a scan": PAGE,
    "black": np.ones_like(PAGE),
    "white": np.zeros_like(PAGE),
    "a black column": np.pad(np.ones((150, 1), bool), ((0, 0), (0, 169))),
    "one black row": np.pad(np.ones((1, 170), bool), ((149, 0), (0, 0))),
    "one pixel wide": PAGE[:, 40:41],
    "one pixel high": PAGE[40:41],
}


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("form", ["one strip", "strips", "reversed bits", "tiles"])
def test_a_whole_page_of_group_4_is_read(form, name):
    ink = ENDINGS[name]
    data = {
        "one strip": lambda: fax(ink),
        "strips": lambda: fax(ink, rows=16),
        "reversed bits": lambda: fax(ink, rows=16, fill=2),
        "tiles": lambda: tiled_fax(ink, 64),
    }[form]()
    np.testing.assert_array_equal(only(data), np.where(ink, 0, 255))


@pytest.mark.parametrize("which", [0, 4, 9])
@pytest.mark.parametrize("fill", [1, 2])
def test_a_strip_of_group_4_that_ends_early_is_unreadable(fill, which):
    data = fax(PAGE, rows=16, fill=fill)
    sizes = tiff_pages.first(data).numbers(tiff_tags.STRIP_BYTE_COUNTS)
    assert len(sizes) == 10
    detail = refused(with_byte_count(data, which, sizes[which] // 2))
    assert detail == "the file is cut short (ValueError: a strip or tile in Group 4 is cut short)"


@pytest.mark.parametrize("which", [0, 5, 8])
def test_a_tile_of_group_4_that_ends_early_is_unreadable(which):
    data = tiled_fax(PAGE, 64)
    sizes = tiff_pages.first(data).numbers(tiff_tags.TILE_BYTE_COUNTS)
    assert "Group 4" in refused(with_byte_count(data, which, sizes[which] // 3))


def test_group_4_with_a_wrong_code_is_unreadable():
    data = bytearray(fax(PAGE))
    data[1000:1020] = bytes(20)
    assert "Group 4" in refused(bytes(data))


def test_a_single_strip_without_a_size_goes_to_the_end_of_the_file():
    data = fax(PAGE)
    np.testing.assert_array_equal(only(with_byte_count(data, 0, 0)), only(data))


@pytest.mark.parametrize("photometric", [2, 6], ids=["RGB", "YCbCr"])
def test_a_jpeg_that_does_not_fill_its_tile_is_unreadable(photometric):
    parts = [COFFEE[top : top + 64, left : left + 64] for top in (0, 64) for left in (0, 64, 128)]
    whole = tiled_jpeg(parts, 192, 128, 64, photometric)
    assert np.abs(only(whole).astype(int) - COFFEE).mean() < 5
    parts[2] = parts[2][:48]
    assert refused(tiled_jpeg(parts, 192, 128, 64, photometric)).endswith(
        "64 x 48 pixels where there should be 64 x 64)"
    )


@pytest.mark.parametrize("photometric", [2, 6], ids=["RGB", "YCbCr"])
def test_a_jpeg_at_the_edge_may_end_with_the_page(photometric):
    parts = [COFFEE[:64, :64], COFFEE[:64, 64:94], COFFEE[64:104, :64], COFFEE[64:104, 64:94]]
    found = only(tiled_jpeg(parts, 94, 104, 64, photometric))
    assert np.abs(found.astype(int) - COFFEE[:104, :94]).mean() < 5


@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 48}, {"tile": (64, 64)}, {"planarconfig": "separate"}])
def test_whole_jpegs_are_read(options):
    values = np.moveaxis(COFFEE, -1, 0) if "planarconfig" in options else COFFEE
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, photometric="rgb", compression="jpeg", metadata=None, **options)
    assert np.abs(only(buffer.getvalue()).astype(int) - COFFEE).mean() < 8


def test_a_strip_without_a_jpeg_is_unreadable():
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, COFFEE, photometric="rgb", compression="jpeg", rowsperstrip=48, metadata=None)
    data = with_byte_count(buffer.getvalue(), 1, 2)
    assert refused(data).endswith("0 x 0 pixels where there should be 192 x 48)")


def test_strips_and_tiles_have_the_size_of_what_they_fill():
    def sizes(**options: object) -> list[tuple[int, int]]:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, COFFEE, photometric="rgb", metadata=None, **options)
        found = tiff_segments.of_page(tiff_pages.first(buffer.getvalue()))
        return [(segment.width, segment.height) for segment in found]

    assert sizes() == [(192, 128)]
    assert sizes(rowsperstrip=50) == [(192, 50), (192, 50), (192, 28)]
    assert sizes(tile=(80, 112)) == [(112, 80), (80, 80), (112, 48), (80, 48)]


def test_the_chroma_planes_of_a_jpeg_may_be_smaller():
    parts = [COFFEE[..., 0], COFFEE[::2, ::2, 1], COFFEE[::2, ::2, 2]]
    planes = [file_of(np.ascontiguousarray(part), "JPEG") for part in parts]
    assert [jpeg_markers.size(plane) for plane in planes] == [(192, 128), (96, 64), (96, 64)]
    offsets = np.cumsum([8, *map(len, planes)])
    tags = {256: [192], 257: [128], 258: [8, 8, 8], 259: [7], 262: [6], 277: [3], 284: [2], 322: [192], 323: [128]}
    tags |= {324: offsets[:-1].tolist(), 325: [len(plane) for plane in planes], 530: [2, 2]}
    tiff_segments.check(tiff_pages.first(_tiff(b"".join(planes), tags)))


@pytest.mark.parametrize("options", [{"compression": "jpegxl"}, {"compression": "lzw", "rowsperstrip": 32}])
def test_a_page_with_fewer_strips_than_it_needs_is_unreadable(options):
    """tifffile takes any other way of storing samples for separate planes, of which there are three."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, COFFEE.astype(np.float32) / 255, photometric="rgb", metadata=None, **options)
    data = buffer.getvalue()
    (entry,) = (entry for entry in tiff_pages.first(data).entries if entry.tag == tiff_tags.PLANAR_CONFIGURATION)
    wrong = data[: entry.at] + b"\x62\0" + data[entry.at + 2 :]
    assert refused(wrong) == "a part of the picture is missing (ValueError: strips or tiles are missing)"
