"""TIFFs that Pillow does not open, written by tifffile or by hand, against what NumPy makes of the same samples."""

import io
import struct
import zlib

import numpy as np
import pytest
import skimage.color
import skimage.data
import tifffile
from photo_files import file_of, grey_profile, srgb_of_gamma
from PIL import Image, UnidentifiedImageError

from pipelines.errors import Rejected
from pipelines.images import decode, pages, samples, tiff_directory

COFFEE = np.ascontiguousarray(skimage.data.coffee()[:96, :113])
CAMERA = np.ascontiguousarray(skimage.data.camera()[:96, 200:313])
DRAW = np.random.default_rng(0)


def words(pixels: np.ndarray) -> np.ndarray:
    return np.minimum(pixels.astype(np.uint32) * 257 + DRAW.integers(0, 257, pixels.shape), 65535).astype(np.uint16)


COFFEE_WORDS, CAMERA_WORDS = words(COFFEE), words(CAMERA)


def tiff_of(values: np.ndarray, **options: object) -> bytes:
    options.setdefault("photometric", "rgb" if values.shape[-1] == 3 else "minisblack")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


def by_hand(raw: bytes, tags: dict[int, tuple[int, ...]]) -> bytes:
    """A TIFF of one strip whose tags are SHORTs, but for where the strip is."""
    raw += bytes(len(raw) % 2)
    tags = {**tags, 273: (8,), 279: (len(raw),)}
    offset = 8 + len(raw)
    table, values = b"", b""
    for tag, numbers in sorted(tags.items()):
        kind, code = (4, "I") if tag in (273, 279, 513, 514) else (3, "H")
        value = struct.pack(f"<{len(numbers)}{code}", *numbers)
        if len(value) > 4:
            values += value
            value = struct.pack("<I", offset + 2 + 12 * len(tags) + 4 + len(values) - len(value))
        table += struct.pack("<HHI", tag, kind, len(numbers)) + value.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", offset) + raw + struct.pack("<H", len(tags)) + table + bytes(4) + values


def packed(values: np.ndarray, bits: int) -> bytes:
    """Samples of `bits` bits, each row ending with its last byte."""
    rows = values.reshape(len(values), -1, 1) >> np.arange(bits - 1, -1, -1) & 1
    raw = np.packbits(rows.reshape(len(values), -1).astype(np.uint8), axis=1).tobytes()
    count = 3 if values.ndim == 3 else 1
    size = {256: (values.shape[1],), 257: (len(values),), 277: (count,), 278: (len(values),)}
    return by_hand(raw, {**size, 258: (bits,) * count, 259: (1,), 262: (2 if count == 3 else 1,)})


def only_page(data: bytes) -> np.ndarray:
    (page,) = pages.read(data)
    assert page.format == "TIFF"
    np.testing.assert_array_equal(decode.decode(data).pixels, samples.to_bytes(page.pixels))
    return page.pixels


def same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15])
def test_packed_samples_are_scaled_by_their_range(bits, colour):
    values = (COFFEE_WORDS if colour else CAMERA_WORDS).astype(np.int64) >> (16 - bits)
    top = 255 if bits <= 8 else 65535
    expected = np.floor(values * top / (2**bits - 1) + 0.5)
    same(only_page(packed(values, bits)), expected.astype(np.uint8 if bits <= 8 else np.uint16))


def test_packed_samples_of_24_bits():
    values = COFFEE_WORDS.astype(np.int64) << 8 | DRAW.integers(0, 256, COFFEE.shape)
    same(only_page(packed(values, 24)), np.rint(values * (65535 / (2**24 - 1))).astype(np.uint16))


def test_bilevel_colours():
    same(only_page(packed((COFFEE > 128).astype(np.int64), 1)), np.where(COFFEE > 128, 255, 0).astype(np.uint8))


def differences(values: np.ndarray, bits: int) -> bytes:
    """Samples of `bits` bits, compressed as differences (predictor 2)."""
    raw = packed(np.diff(values, axis=1, prepend=0) % (1 << bits), bits)
    stored = zlib.compress(raw[8 : 8 + len(values) * -(-values.shape[1] * bits // 8)])
    size = {256: (values.shape[1],), 257: (len(values),), 277: (1,), 278: (len(values),)}
    return by_hand(stored, {**size, 258: (bits,), 259: (8,), 262: (1,), 317: (2,)})


@pytest.mark.parametrize("bits", [2, 4, 12])
def test_what_pillow_calls_broken_is_read_whole(bits):
    values = CAMERA_WORDS.astype(np.int64) >> (16 - bits)
    data = differences(values, bits)
    with pytest.raises(OSError, match=r"decoder error|cannot identify"):
        Image.open(io.BytesIO(data)).load()
    top = 255 if bits <= 8 else 65535
    expected = np.floor(values * top / (2**bits - 1) + 0.5)
    same(only_page(data), expected.astype(np.uint8 if bits <= 8 else np.uint16))


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("options", [{}, {"compression": "deflate", "predictor": 3}, {"bigtiff": True}], ids=str)
def test_floats_of_0_to_1_keep_their_scale(kind, options):
    for values in (COFFEE / 255, CAMERA / 255):
        stored = values.astype(kind)
        same(only_page(tiff_of(stored, **options)), np.rint(stored.astype(np.float64) * 65535).astype(np.uint16))


def test_other_floats_are_stretched_over_all_channels():
    values = (COFFEE.astype(np.float32) - 60) * 3
    values[0, 0, 0] = np.nan
    clean = np.nan_to_num(values).astype(np.float64)
    expected = (clean - clean.min()) * 65535 / np.ptp(clean)
    assert np.abs(only_page(tiff_of(values)) - expected).max() <= 0.51


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8"])
@pytest.mark.parametrize("picture", [COFFEE, CAMERA], ids=["colour", "grey"])
def test_signed_integers(kind, picture):
    values = (picture // 2).astype(kind)
    expected = values.astype(np.uint16) * (257 if kind == "i1" else 1)
    same(only_page(tiff_of(values)), expected)
    below = values - np.array(50, kind)
    stretched = (below - float(below.min())) * 65535 / np.ptp(below.astype(float))
    assert np.abs(only_page(tiff_of(below)) - stretched).max() <= 0.51


@pytest.mark.parametrize("kind", ["u4", "u8"])
def test_integers_of_32_and_64_bits(kind):
    same(only_page(tiff_of(COFFEE_WORDS.astype(kind))), COFFEE_WORDS)
    large = COFFEE_WORDS.astype(kind) * np.array(9973, kind)
    expected = (large - float(large.min())) * 65535 / np.ptp(large.astype(float))
    assert np.abs(only_page(tiff_of(large)) - expected).max() <= 0.51


@pytest.mark.parametrize("codec", ["lerc", "jpegxl", "jpeg2000", "png", "jpegxr", "pixtiff", "zstd", "lzma"])
@pytest.mark.parametrize("picture", [COFFEE, CAMERA, COFFEE_WORDS, CAMERA_WORDS], ids=["24", "8", "48", "16"])
def test_codecs_that_lose_nothing(codec, picture):
    same(only_page(tiff_of(picture, compression=codec)), picture)


def test_webp():
    same(only_page(tiff_of(COFFEE, compression="webp")), COFFEE)


@pytest.mark.parametrize("options", [{"tile": (32, 48)}, {"rowsperstrip": 7}, {"byteorder": ">"}, {"bigtiff": True}])
@pytest.mark.parametrize("planar", [False, True])
def test_tiles_strips_planes_and_byte_orders(options, planar):
    values = COFFEE / np.float32(255)
    stored = np.moveaxis(values, -1, 0).copy() if planar else values
    layout = {"planarconfig": "separate"} if planar else {}
    data = tiff_of(stored, photometric="rgb", compression="zstd", **layout, **options)
    same(only_page(data), np.rint(values.astype(np.float64) * 65535).astype(np.uint16))


def test_jpeg_of_12_bits():
    values = COFFEE_WORDS >> 4
    found = only_page(tiff_of(values, compression="jpeg", compressionargs={"level": 98}))
    assert found.dtype == np.uint16
    assert np.abs(found / 65535 - values / 4095).mean() < 0.01


@pytest.mark.parametrize("picture", [COFFEE, CAMERA], ids=["colour", "grey"])
def test_old_jpeg(picture):
    stream = file_of(picture, "JPEG", quality=95, subsampling=2 if picture.ndim == 3 else -1)
    count = 3 if picture.ndim == 3 else 1
    size = {256: (picture.shape[1],), 257: (len(picture),), 277: (count,), 278: (len(picture),)}
    kind = {258: (8,) * count, 259: (6,), 262: (6 if count == 3 else 1,), 512: (1,), 513: (8,), 514: (len(stream),)}
    found = only_page(by_hand(stream, {**size, **kind, 530: (2, 2)} if count == 3 else {**size, **kind}))
    assert np.abs(found.astype(int) - np.asarray(Image.open(io.BytesIO(stream)))).mean() < 1


def test_white_may_be_0():
    share = CAMERA / np.float32(255)
    expected = 65535 - np.rint(share.astype(np.float64) * 65535)
    for kind in ("f4", "f8"):
        found = only_page(tiff_of(share.astype(kind), photometric="miniswhite"))
        same(found, expected.astype(np.uint16))


@pytest.mark.parametrize("associated", [False, True])
@pytest.mark.parametrize("kind", ["u1", "u2", "f8"])
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
def test_alpha_lies_on_white(colour, kind, associated):
    picture = (COFFEE if colour else CAMERA[..., None]) / 255
    alpha = np.linspace(0, 1, picture.shape[1])[None, :, None].repeat(len(picture), 0)
    stored = np.concatenate([picture * alpha if associated else picture, alpha], axis=-1)
    top = 1 if kind == "f8" else 2 ** (8 * int(kind[1])) - 1
    stored = stored if kind == "f8" else np.rint(stored * top).astype(kind)
    name = "assocalpha" if associated else "unassalpha"
    data = tiff_of(stored, photometric="rgb" if colour else "minisblack", extrasamples=[name], compression="lerc")
    found = only_page(data)
    expected = (picture * alpha + 1 - alpha).squeeze()
    assert np.abs(found / 65535 - expected).max() <= (2.1 / 255 if kind == "u1" else 2.1 / 65535)


@pytest.mark.parametrize("bits", [3, 6])
def test_palettes_of_odd_depths(bits):
    table = DRAW.integers(0, 65536, (3, 2**bits))
    values = (CAMERA >> (8 - bits)).astype(np.int64)
    raw = np.packbits((values[..., None] >> np.arange(bits - 1, -1, -1) & 1).reshape(96, -1).astype(np.uint8), axis=1)
    size = {256: (113,), 257: (96,), 277: (1,), 278: (96,)}
    data = by_hand(raw.tobytes(), {**size, 258: (bits,), 259: (1,), 262: (3,), 320: tuple(table.ravel().tolist())})
    same(only_page(data), np.moveaxis(table[:, values] >> 8, 0, -1).astype(np.uint8))


def test_cielab_of_16_bits():
    lab = skimage.color.rgb2lab(COFFEE)
    stored = np.empty(lab.shape, np.uint16)
    stored[..., 0] = np.rint(lab[..., 0] * 655.35)
    stored[..., 1:] = np.rint(lab[..., 1:] * 256).astype(np.int16).view(np.uint16)
    found = skimage.color.rgb2lab(only_page(tiff_of(stored, photometric="cielab")))
    assert np.abs(found - lab)[..., 0].mean() < 0.5


def test_cmyk_in_a_rare_codec_is_that_of_a_plain_file():
    inks = np.asarray(Image.fromarray(COFFEE).convert("CMYK"))
    plain = only_page(tiff_of(inks, photometric="separated"))
    same(only_page(tiff_of(inks, photometric="separated", compression="lerc")), plain)


def test_pages_of_all_kinds_in_one_file():
    pictures = [COFFEE, COFFEE / 255, CAMERA_WORDS, CAMERA.astype(np.float16) / 255]
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=True) as file:
        for number, picture in enumerate(pictures):
            codec = "lerc" if number < 3 else None
            kind = "rgb" if picture.ndim == 3 else "minisblack"
            file.write(picture, metadata=None, photometric=kind, compression=codec)
    found = list(pages.read(buffer.getvalue()))
    assert [(page.index, page.count) for page in found] == [(number, 4) for number in range(4)]
    for page, picture in zip(found, pictures, strict=True):
        values = picture.astype(np.float64)
        expected = picture if picture.dtype.kind == "u" else np.rint(values * 65535).astype(np.uint16)
        same(page.pixels, expected)


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_what_the_file_says_is_read_as_in_any_other(orientation):
    profile = grey_profile()
    rare = tiff_of(
        CAMERA,
        compression="lerc",
        extratags=[(274, 3, 1, orientation, True), (315, 2, 0, "Grete Mueller", True)],
        resolution=(300, 150),
        resolutionunit=2,
        iccprofile=profile,
    )
    (page,) = pages.read(rare)
    upright = {1: CAMERA, 6: np.rot90(CAMERA, -1), 7: np.rot90(CAMERA, 2).T}[orientation]
    assert np.abs(page.pixels / 255 - srgb_of_gamma(upright / 255, 1.8)).max() < 0.02
    assert page.metadata.dpi == ((300, 150) if orientation == 1 else (150, 300))
    with tifffile.TiffFile(io.BytesIO(tiff_directory.block(page.metadata.exif))) as file:
        assert file.pages[0].tags["Artist"].value == "Grete Mueller"


def lerc(**options: object) -> bytes:
    return tiff_of(COFFEE_WORDS, compression="lerc", **options)


@pytest.mark.parametrize(
    "data",
    [
        lerc()[: len(lerc()) // 2],
        packed(COFFEE_WORDS >> 6, 10)[:8] + packed(COFFEE_WORDS >> 6, 10)[2000:],
        tiff_of(np.zeros((8, 8, 20), np.uint16), photometric="minisblack", planarconfig="contig", compression="lerc"),
    ],
    ids=["half", "holes", "bands"],
)
def test_what_is_no_whole_picture_is_unreadable(data):
    with pytest.raises(Rejected) as raised:
        list(pages.read(data))
    assert raised.value.reason == "unreadable"
    assert raised.value.detail


def test_bombs_are_too_large():
    for size in ({256: (60_000,), 257: (60_000,)}, {256: (64,), 257: (64,), 322: (60_000,), 323: (60_000,)}):
        kind = {258: (10, 10, 10), 259: (34887,), 262: (2,), 277: (3,), 278: (60_000,)}
        for read in (decode.decode, lambda data: list(pages.read(data))):
            with pytest.raises(Rejected) as raised:
                read(by_hand(bytes(64), {**size, **kind}))
            assert raised.value.reason == "too_large"


def test_pillow_opens_none_of_these():
    for data in (lerc(), packed(COFFEE_WORDS >> 6, 10), tiff_of(COFFEE / 255)):
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(data))
