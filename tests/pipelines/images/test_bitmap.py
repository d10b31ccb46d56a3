import struct

import numpy as np
import pytest
from bitmaps import bitmap, rows, run_lengths
from photo_files import file_of, swapped_profile
from skimage import data as skimage_data

from pipelines.images import bitmap as reader
from pipelines.images.bitmap import Kind

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:24, 100:131])
NOISE = np.random.default_rng(7)


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths_give_the_pixels_that_were_stored(bits):
    palette = NOISE.integers(0, 256, (1 << bits, 3), dtype=np.uint8)
    indices = NOISE.integers(0, 1 << bits, (9, 31), dtype=np.uint8)
    entries = np.c_[palette[:, ::-1], np.zeros(len(palette), np.uint8)].tobytes()
    data = bitmap(bits, Kind.RLE4 if bits == 4 else Kind.RLE8, (31, 9), run_lengths(indices, bits), entries)
    np.testing.assert_array_equal(reader.read(data), palette[indices])
    with pytest.raises(ValueError, match="cut short"):
        reader.read(data[:-40])


def test_pixels_that_runs_skip_are_those_of_index_0():
    palette = bytes([1, 2, 3, 0, 40, 50, 60, 0])
    data = bitmap(8, Kind.RLE8, (3, 2), b"\0\2\1\1" + b"\2\1" + b"\0\1", palette)
    expected = np.full((2, 3, 3), (3, 2, 1))
    expected[0, 1:] = 60, 50, 40
    np.testing.assert_array_equal(reader.read(data), expected)


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0xF800, 0x7E0, 0x1F)),
        (16, (0x0F00, 0x00F0, 0x000F)),
        (32, (0xFF000000, 0x00000FF0, 0x00FF0000)),
        (32, (0x3FF00000, 0x000FFC00, 0x000003FF)),
    ],
)
def test_bit_fields_of_any_layout(bits, masks):
    values = NOISE.integers(0, 1 << bits, (5, 7), dtype=np.uint64)
    found = reader.read(bitmap(bits, Kind.BIT_FIELDS, (7, 5), rows(values, bits), masks=masks, header_size=40 + 12))
    for channel, mask in enumerate(masks):
        field = (values & np.uint64(mask)) / mask
        np.testing.assert_allclose(found[..., channel], 255 * field, atol=0.51 + 255 * (mask & -mask) / mask / 2)


def test_alpha_counts_where_the_header_names_it():
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    values = NOISE.integers(0, 1 << 32, (5, 7), dtype=np.uint64)
    data = bitmap(32, Kind.BIT_FIELDS, (7, 5), rows(values, 32), masks=masks, header_size=124)
    np.testing.assert_array_equal(reader.read(data)[..., 3], values >> np.uint64(24))
    opaque = bitmap(32, Kind.BIT_FIELDS, (7, 5), rows(values & np.uint64(0xFFFFFF), 32), masks=masks, header_size=124)
    assert reader.read(opaque).shape == (5, 7, 3)  # written by a program that knows nothing of alpha


def test_a_profile_is_found():
    profile = swapped_profile()
    body = rows(np.zeros((1, 1), np.uint32), 32)
    rest = struct.pack("<4s", b"DEBM").ljust(124 - 56 - 12, b"\0") + struct.pack("<II", 128, len(profile)) + bytes(4)
    data = bitmap(32, Kind.BIT_FIELDS, (1, 1), body, masks=(0xFF0000, 0xFF00, 0xFF, 0), header_size=124, rest=rest)
    assert reader.header(data + profile).profile == profile


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_usual_bitmaps_are_as_stored(mode):
    from PIL import Image

    image = Image.fromarray(SMALL).convert(mode)
    found = reader.read(file_of(image, "BMP"))
    expected = np.asarray(image.convert("L" if mode in "1L" else "RGB"))
    np.testing.assert_array_equal(found[..., :3] if mode == "RGBA" else found, expected)


@pytest.mark.parametrize("size", [-4, -200, 20])
def test_what_is_cut_short_is_refused(size):
    with pytest.raises(ValueError, match="cut short"):
        reader.read(file_of(SMALL[:, :29], "BMP")[:size])
