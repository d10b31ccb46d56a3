"""Scans of more than 8 bits, generated from photographs, against what a careful person makes by hand in NumPy."""

import io

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from photo_files import file_of, grey_profile, srgb_of_gamma, swapped_profile
from PIL import ExifTags, Image

from pipelines.errors import Rejected
from pipelines.images import decode, pages


def deepened(pixels: np.ndarray) -> np.ndarray:
    """A photograph in 16 bits, every one of them used."""
    noise = np.random.default_rng(0).integers(0, 257, pixels.shape)
    return np.minimum(pixels.astype(np.uint32) * 257 + noise, 65535).astype(np.uint16)


def tiff_of(values: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


def only_page(data: bytes) -> np.ndarray:
    (page,) = pages.read(data)
    return page.pixels


def same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def coffee(photos) -> np.ndarray:
    return deepened(photos["coffee"][:150, :200])


@pytest.fixture(scope="module")
def camera(grey_photos) -> np.ndarray:
    return deepened(grey_photos["camera"][:150, :200])


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "adobe_deflate", "packbits", "zstd"])
def test_grey_tiff(camera, compression, byteorder):
    data = tiff_of(camera, compression=compression, byteorder=byteorder)
    same(only_page(data), camera)
    np.testing.assert_array_equal(decode.decode(data).pixels, np.rint(camera / 257))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw", "predictor": True},
        {"compression": "adobe_deflate", "predictor": True, "byteorder": ">"},
        {"compression": "packbits"},
        {"planarconfig": "separate"},
        {"planarconfig": "separate", "compression": "lzw"},
        {"tile": (64, 64), "compression": "adobe_deflate"},
        {"bigtiff": True},
        {"rowsperstrip": 7},
    ],
    ids=str,
)
def test_48_bit_tiff(coffee, options):
    planar = options.get("planarconfig") == "separate"
    data = tiff_of(np.moveaxis(coffee, -1, 0) if planar else coffee, photometric="rgb", **options)
    same(only_page(data), coffee)
    np.testing.assert_array_equal(decode.decode(data).pixels, np.rint(coffee / 257))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_16_bit_tiffs_come_out_upright(coffee, camera, kind, orientation):
    values = coffee if kind == "colour" else camera
    data = tiff_of(values, photometric="rgb" if kind == "colour" else None, extratags=[(274, 3, 1, orientation, True)])
    turned = {
        1: lambda v: v,
        2: np.fliplr,
        3: lambda v: np.rot90(v, 2),
        4: np.flipud,
        5: lambda v: v.swapaxes(0, 1),
        6: lambda v: np.rot90(v, -1),
        7: lambda v: np.rot90(v, 2).swapaxes(0, 1),
        8: np.rot90,
    }
    same(only_page(data), turned[orientation](values))


def test_white_may_be_0(camera):
    same(only_page(tiff_of(camera, photometric="miniswhite")), 65535 - camera)
    bytes_ = (camera >> 8).astype(np.uint8)
    np.testing.assert_array_equal(only_page(tiff_of(bytes_, photometric="miniswhite")), 255 - bytes_)


@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha", "unspecified"])
def test_tiff_with_alpha_lies_on_white(coffee, extra):
    alpha = np.linspace(0, 65535, coffee.shape[1]).astype(np.uint16)[None, :, None].repeat(len(coffee), 0)
    share = alpha / 65535
    stored = np.rint(coffee * share).astype(np.uint16) if extra == "assocalpha" else coffee
    found = only_page(tiff_of(np.dstack([stored, alpha]), photometric="rgb", extrasamples=[extra]))
    expected = coffee if extra == "unspecified" else coffee * share + 65535 * (1 - share)
    assert found.dtype == np.uint16
    assert np.abs(found - expected).max() <= (0 if extra == "unspecified" else 1.01)


def test_12_bits_are_scaled_by_their_range(camera):
    values = camera >> 4
    words = values.reshape(-1, 2).astype(np.uint32)
    packed = np.stack([words[:, 0] >> 4, (words[:, 0] & 15) << 4 | words[:, 1] >> 8, words[:, 1] & 255], axis=1)
    raw = packed.astype(np.uint8).tobytes()
    tags = {256: 200, 257: 150, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 150, 279: len(raw)}
    entries = b"".join(
        tag.to_bytes(2, "little") + b"\4\0\1\0\0\0" + value.to_bytes(4, "little") for tag, value in tags.items()
    )
    data = b"II*\0" + (8 + len(raw)).to_bytes(4, "little") + raw + len(tags).to_bytes(2, "little") + entries + bytes(4)
    same(only_page(data), np.rint(values * (65535 / 4095)))


def test_48_bit_png(coffee):
    data = cv2.imencode(".png", coffee[..., ::-1])[1].tobytes()
    same(only_page(data), coffee)


def test_grey_png(camera):
    same(only_page(file_of(camera, "PNG")), camera)


def test_16_bit_png_with_alpha_lies_on_white(coffee, camera):
    alpha = np.linspace(0, 65535, coffee.shape[1]).astype(np.uint16)[None].repeat(len(coffee), 0)
    share = alpha / 65535
    found = only_page(imagecodecs.png_encode(np.dstack([coffee, alpha])))
    assert np.abs(found - (coffee * share[..., None] + 65535 * (1 - share[..., None]))).max() <= 1.01
    found = only_page(imagecodecs.png_encode(np.dstack([camera, alpha])))
    assert found.ndim == 2
    assert np.abs(found - (camera * share + 65535 * (1 - share))).max() <= 1.01


def test_one_colour_of_a_16_bit_png_may_be_transparent(camera):
    camera = camera.copy()
    camera[:20, :20] = 1234
    expected = np.where(camera == 1234, 65535, camera)
    same(only_page(file_of(camera, "PNG", transparency=1234)), expected)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("codec", ["jp2", "j2k"])
def test_jpeg_2000(coffee, camera, bits, codec):
    for values in (coffee, camera):
        values = values >> (16 - bits)
        data = imagecodecs.jpeg2k_encode(values, level=0, codecformat=codec, bitspersample=bits, mct=False)
        same(only_page(data), np.rint(values * (65535 / (2**bits - 1))))


def test_8_bit_jpeg_2000(photos):
    data = file_of(photos["coffee"], "JPEG2000", irreversible=False)
    np.testing.assert_array_equal(only_page(data), photos["coffee"])


def test_32_bits_and_floats(grey_photos):
    camera = grey_photos["camera"]
    same(only_page(file_of(camera / np.float32(255), "TIFF")), camera.astype(int) * 257)
    same(only_page(file_of(camera.astype(np.int32) * 257, "TIFF")), camera.astype(int) * 257)
    stretched = only_page(file_of(camera.astype(np.float32) * 40 - 700, "TIFF"))
    expected = (camera - float(camera.min())) * 65535 / np.ptp(camera)
    assert np.abs(stretched - expected).max() <= 0.51


def test_32_bits_without_a_sign(camera):
    values = camera.astype(np.uint32) * 65537
    expected = (values - float(values.min())) * 65535 / np.ptp(values)
    assert np.abs(only_page(tiff_of(values)) - expected).max() <= 0.51


def test_floats_that_are_not_numbers():
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    values[0, 0] = np.nan
    assert only_page(file_of(values, "TIFF"))[-1, -1] == 65535
    values[:] = np.nan
    assert not only_page(file_of(values, "TIFF")).any()


@pytest.mark.parametrize("kind", ["tiff", "tiff lzw", "png", "jp2"])
def test_a_profile_is_converted_with_16_bits(coffee, kind):
    profile = swapped_profile()
    if kind == "png":
        data = file_of(Image.fromarray(coffee.astype(np.uint8)), "PNG", icc_profile=profile)
        chunk = data[33 : data.index(b"IDAT") - 4]
        data = cv2.imencode(".png", coffee[..., ::-1])[1].tobytes()
        data = data[:33] + chunk + data[33:]
    elif kind == "jp2":
        data = with_profile(imagecodecs.jpeg2k_encode(coffee, level=0, codecformat="jp2"), profile)
    else:
        compression = "lzw" if "lzw" in kind else None
        data = tiff_of(coffee, photometric="rgb", iccprofile=profile, compression=compression)
    found = only_page(data)
    assert found.dtype == np.uint16
    # the colorants of red and blue changed places, the rest is sRGB: out comes what is nearly BGR
    assert np.abs(found.astype(int) - coffee[..., ::-1]).mean() < 300
    assert len(np.unique(found & 255)) == 256


def with_profile(data: bytes, profile: bytes) -> bytes:
    """A JP2 file whose enumerated colour space gives way to an ICC profile."""

    def box(kind: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + kind + content

    start = data.index(b"jp2h") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    header = data[start + 8 : start + size]
    colour = header.index(b"colr") - 4
    length = int.from_bytes(header[colour : colour + 4], "big")
    header = header[:colour] + box(b"colr", b"\2\0\0" + profile) + header[colour + length :]
    return data[:start] + box(b"jp2h", header) + data[start + size :]


def test_an_8_bit_jpeg_2000_with_a_profile(photos):
    data = file_of(photos["rocket"], "JPEG2000", irreversible=False)
    found = only_page(with_profile(data, swapped_profile()))
    assert np.abs(found.astype(int) - photos["rocket"][..., ::-1]).mean() < 2


def test_a_grey_profile_with_16_bits(camera):
    found = only_page(tiff_of(camera, iccprofile=grey_profile()))
    assert found.ndim == 2
    assert np.abs(found - 65535 * srgb_of_gamma(camera / 65535, 1.8)).max() <= 300


@pytest.mark.parametrize(
    "profile", [b"no profile", swapped_profile()[:200], grey_profile()], ids=["text", "cut", "grey"]
)
def test_a_profile_that_does_not_fit_counts_as_none(coffee, profile):
    same(only_page(tiff_of(coffee, photometric="rgb", iccprofile=profile)), coffee)


@pytest.mark.parametrize("kind", ["tiff", "tiff lzw", "png", "jp2"])
def test_half_a_file_is_unreadable(coffee, kind):
    data = {
        "tiff": lambda: tiff_of(coffee, photometric="rgb"),
        "tiff lzw": lambda: tiff_of(coffee, photometric="rgb", compression="lzw"),
        "png": cv2.imencode(".png", coffee)[1].tobytes,
        "jp2": lambda: imagecodecs.jpeg2k_encode(coffee, level=0),
    }[kind]()
    with pytest.raises(Rejected, match="unreadable"):
        only_page(data[: len(data) // 2])


def test_orientation_of_a_48_bit_png(coffee):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = file_of(coffee.astype(np.uint8), "PNG", exif=exif)
    chunk = data[data.index(b"eXIf") - 4 :][: 12 + len(exif.tobytes()) - 6]
    data = cv2.imencode(".png", coffee[..., ::-1])[1].tobytes()
    same(only_page(data[:33] + chunk + data[33:]), np.rot90(coffee, -1))
