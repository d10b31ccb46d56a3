import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import damaged, file_of, grey_profile, opened, srgb_of_gamma, swapped_profile
from PIL import EpsImagePlugin, ExifTags, Image, ImageCms, ImageOps
from skimage import color as skimage_color
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import formats
from pipelines.images.decode import decode
from pipelines.images.samples import to_bytes
from pipelines.images.sizes import MAX_PIXELS

ORIENTATION = ExifTags.Base.Orientation
SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])


def reason_of(data: bytes) -> str:
    with pytest.raises(Rejected) as raised:
        decode(data)
    assert raised.value.detail
    return raised.value.reason


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "PPM"])
def test_lossless_colour_is_as_stored(photos, file_format):
    photo = decode(file_of(photos["coffee"], file_format))
    np.testing.assert_array_equal(photo.pixels, photos["coffee"])
    assert (photo.height, photo.width, photo.format) == (400, 600, file_format)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP"])
def test_one_channel_stays_one_channel(grey_photos, file_format):
    photo = decode(file_of(grey_photos["coins"], file_format))
    np.testing.assert_array_equal(photo.pixels, grey_photos["coins"])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(file_format, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = file_of(SMALL, file_format, exif=exif)
    photo = decode(data)
    np.testing.assert_array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(opened(data)).convert("RGB")))
    assert (photo.height, photo.width) == photo.pixels.shape[:2]
    assert photo.pixels.shape[0] == (SMALL.shape[0] if orientation < 5 else SMALL.shape[1])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    np.testing.assert_array_equal(decode(file_of(SMALL, "PNG", exif=exif)).pixels, SMALL)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xa5" * 40, b"nonsense"]
)
def test_broken_exif_does_no_harm(exif):
    data = file_of(SMALL, "JPEG", exif=exif)
    photo = decode(data)
    np.testing.assert_array_equal(photo.pixels, np.asarray(opened(data)))


def test_cmyk_becomes_rgb(photos):
    image = Image.fromarray(photos["chelsea"]).convert("CMYK")
    for data in (file_of(image, "TIFF"), file_of(image, "JPEG", quality=95)):
        photo = decode(data)
        assert photo.pixels.shape == photos["chelsea"].shape
        assert np.abs(photo.pixels.astype(int) - photos["chelsea"]).mean() < 3


def test_a_palette_with_transparency_lies_on_white():
    indices = np.tile(np.arange(4, dtype=np.uint8), (5, 3))
    image = Image.fromarray(indices, "P")
    image.putpalette([200, 10, 10, 10, 200, 10, 10, 10, 200, 0, 0, 0])
    photo = decode(file_of(image, "PNG", transparency=3))
    colours = np.array([[200, 10, 10], [10, 200, 10], [10, 10, 200], [255, 255, 255]])
    np.testing.assert_array_equal(photo.pixels, colours[indices])


def test_grey_with_alpha_lies_on_white_and_stays_grey(grey_photos):
    moon = grey_photos["moon"]
    alpha = np.linspace(0, 255, moon.shape[1]).astype(np.uint8)[None].repeat(len(moon), 0)
    photo = decode(file_of(Image.fromarray(np.dstack([moon, alpha]), "LA"), "PNG"))
    expected = (moon * (alpha / 255)) + 255 * (1 - alpha / 255)
    assert photo.pixels.ndim == 2
    assert np.abs(photo.pixels - expected).max() <= 1.01


def test_colour_with_alpha_lies_on_white():
    alpha = np.linspace(0, 255, 80).astype(np.uint8)[None].repeat(96, 0)
    photo = decode(file_of(np.dstack([SMALL, alpha]), "PNG"))
    share = alpha[..., None] / 255
    assert np.abs(photo.pixels - (SMALL * share + 255 * (1 - share))).max() <= 1.01


def test_one_bit(grey_photos):
    photo = decode(file_of(Image.fromarray(grey_photos["coins"] > 128), "PNG"))
    np.testing.assert_array_equal(photo.pixels, np.where(grey_photos["coins"] > 128, 255, 0))


def test_lab_tiff(photos):
    lab = skimage_color.rgb2lab(photos["coffee"], illuminant="D50")  # an ICC Lab, relative to D50
    stored = np.dstack([lab[..., 0] * 2.55, lab[..., 1], lab[..., 2]])
    stored = np.rint(stored).astype(np.int16).astype(np.uint8)
    photo = decode(file_of(Image.frombytes("LAB", (600, 400), stored.tobytes()), "TIFF"))
    assert photo.pixels.shape == (400, 600, 3)
    assert np.corrcoef(photo.pixels.ravel(), photos["coffee"].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_an_embedded_profile_is_converted_to_srgb(photos, file_format):
    data = file_of(photos["rocket"], file_format, icc_profile=swapped_profile())
    image = opened(data).convert("RGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(swapped_profile()))
    expected = np.asarray(ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB")))
    found = decode(data).pixels
    np.testing.assert_array_equal(found, expected)
    assert np.abs(found.astype(int) - np.asarray(image)[..., ::-1]).mean() < 2


def test_a_grey_profile(grey_photos):
    photo = decode(file_of(grey_photos["camera"], "PNG", icc_profile=grey_profile()))
    expected = 255 * srgb_of_gamma(grey_photos["camera"] / 255, 1.8)
    assert photo.pixels.ndim == 2
    assert np.abs(photo.pixels - expected).max() <= 2


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_profile_beside_transparency_is_converted(photos, mode):
    image = Image.fromarray(photos["rocket"]).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    if mode == "P":
        image = image.quantize(64)
    found = decode(file_of(image, "PNG", icc_profile=swapped_profile())).pixels
    plain = decode(file_of(image, "PNG")).pixels
    assert np.abs(found.astype(int) - plain[..., ::-1]).mean() < 2


@pytest.mark.parametrize(
    "profile", [b"no profile", swapped_profile()[:200], grey_profile()], ids=["text", "cut", "grey"]
)
def test_a_profile_that_does_not_fit_counts_as_none(profile):
    np.testing.assert_array_equal(decode(file_of(SMALL, "PNG", icc_profile=profile)).pixels, SMALL)


def test_srgb_needs_no_conversion():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    np.testing.assert_array_equal(decode(file_of(SMALL, "PNG", icc_profile=profile)).pixels, SMALL)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_half_a_file_is_unreadable(photos, file_format):
    data = file_of(photos["coffee"], file_format)
    for length in (len(data) // 2, 30, 3):
        assert reason_of(data[:length]) == "unreadable"


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 1000, b"Dear archive,\n", "ä".encode() * 600, b"\xff\xd8\xff", b"%PDF-1.4"]
)
def test_what_is_no_photo_is_unreadable(data):
    assert reason_of(data) == "unreadable"


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(60_000, 60_000), (MAX_PIXELS + 1, 1), (2, MAX_PIXELS), (13_378, 13_378)]
)
def test_a_bomb_is_too_large(width, height):
    assert reason_of(bomb(width, height)) == "too_large"


def test_a_large_picture_of_next_to_no_bytes_is_a_bomb():
    assert reason_of(bomb(640, 262_624)) == "too_large"


def test_all_words_become_the_nearest_bytes():
    words = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(to_bytes(words), np.rint(words / 257))
    assert to_bytes(words).dtype == np.uint8
    np.testing.assert_array_equal(to_bytes(SMALL), SMALL)


@pytest.mark.parametrize("orientation", [1, 6])
def test_decoding_smaller_keeps_the_original_s_size(photos, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = file_of(photos["rocket"], "JPEG", exif=exif, quality=95)
    photo = decode(data, shrink_to=64)
    assert (photo.height, photo.width) == ((427, 640) if orientation == 1 else (640, 427))
    assert 64 <= min(photo.pixels.shape[:2]) < 200
    whole = Image.fromarray(decode(data).pixels).resize(photo.pixels.shape[1::-1], Image.Resampling.BOX)
    assert np.abs(photo.pixels.astype(int) - np.asarray(whole)).mean() < 3


def test_decoding_smaller_never_falls_below(photos):
    for size in (100, 256, 400, 5000):
        pixels = decode(file_of(photos["coffee"], "JPEG"), shrink_to=size).pixels
        assert min(pixels.shape[:2]) >= min(size, 400)
    np.testing.assert_array_equal(decode(file_of(photos["coffee"], "PNG"), shrink_to=64).pixels, photos["coffee"])


def check_decoded_or_rejected(data: bytes, shrink_to: int | None = None) -> None:
    """Anything else that `decode` raises ends the test."""
    reason = None
    try:
        photo = decode(data, shrink_to)
    except Rejected as verdict:
        reason = verdict.reason
    if reason is None:
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.ndim == 2 or photo.pixels.shape[2:] == (3,)
    else:
        assert reason in ("unreadable", "too_large")


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a", b"BM"]),
)
def test_random_bytes_are_rejected_or_decoded(data, start):
    check_decoded_or_rejected(start + data)


FILES = {
    "JPEG": file_of(
        SMALL, "JPEG", dpi=(300, 300), exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    ),
    "JPEG with a profile": file_of(SMALL, "JPEG", icc_profile=swapped_profile()),
    "PNG": file_of(SMALL[:20, :20], "PNG"),
    "TIFF": file_of(SMALL[:20, :20], "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_a_damaged_photo_is_rejected_or_decoded(name, data):
    check_decoded_or_rejected(damaged(FILES[name], data), shrink_to=data.draw(st.sampled_from([None, 16])))


def test_no_file_makes_another_program_run(tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    for name in ("gs", "gswin64c"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {ran}\necho 10.0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(stream, "EPS")
    with pytest.raises(Rejected, match="EPS files are not supported") as verdict:
        decode(stream.getvalue())
    assert verdict.value.reason == "unreadable"
    assert not ran.exists()


def test_formats_that_are_read_are_those_that_pillow_draws_itself():
    Image.init()
    left_out = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}
    assert {*formats.READ} == {*Image.OPEN} - left_out
