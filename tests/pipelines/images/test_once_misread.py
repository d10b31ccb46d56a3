"""TIFFs that were once read as other pictures, against the array that they were made of."""

import io

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image

from pipelines.images import pages

COFFEE = np.ascontiguousarray(skimage.data.coffee()[:96, 200:313])
GREY = np.ascontiguousarray(COFFEE[..., 1])
GREY_WORDS = GREY.astype(np.uint16) * 257 - 100 * (GREY > 0)


def found(values: np.ndarray, **options: object) -> np.ndarray:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    (page,) = pages.read(buffer.getvalue())
    return page.pixels


def planes(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(values, -1, 0))


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_cmyk_in_separate_planes(kind, compression):
    inks = np.asarray(Image.fromarray(COFFEE).convert("CMYK")).astype(kind) * (257 if kind == np.uint16 else 1)
    pixels = found(planes(inks), photometric="separated", planarconfig="separate", compression=compression)
    np.testing.assert_array_equal(pixels, COFFEE)


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_with_alpha_in_separate_planes(kind, compression):
    top = np.iinfo(kind).max
    alpha = np.broadcast_to(np.linspace(0, 1, GREY.shape[1]), GREY.shape)
    values = np.rint(np.dstack([GREY / 255, alpha]) * top).astype(kind)
    layout = {"planarconfig": "separate", "extrasamples": ["unassalpha"], "compression": compression}
    pixels = found(planes(values), photometric="minisblack", **layout)
    expected = GREY / 255 * alpha + 1 - alpha
    assert np.abs(pixels / np.iinfo(pixels.dtype).max - expected).max() < 2 / 255


@pytest.mark.parametrize("options", [{}, {"predictor": 3}])
@pytest.mark.parametrize("picture", [GREY, COFFEE], ids=["grey", "colour"])
def test_big_endian_compressed_floats(picture, options):
    values = picture / np.float32(255)
    kind = "rgb" if picture.ndim == 3 else "minisblack"
    pixels = found(values, photometric=kind, byteorder=">", compression="deflate", **options)
    np.testing.assert_array_equal(pixels, np.rint(values.astype(np.float64) * 65535))


@pytest.mark.parametrize("options", [{}, {"compression": "deflate"}, {"byteorder": ">"}], ids=str)
def test_white_is_zero_of_16_bits(options):
    np.testing.assert_array_equal(found(GREY_WORDS, photometric="miniswhite", **options), 65535 - GREY_WORDS)


@pytest.mark.parametrize("factor", [1, 257], ids=["bytes", "words"])
def test_a_palette_in_bytes_means_the_colours_that_it_would_in_words(factor):
    table = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16)
    pixels = found(GREY, photometric="palette", colormap=table * factor)
    np.testing.assert_array_equal(pixels, np.moveaxis(table[:, GREY], 0, -1))
