"""One photo through all stages, with a model that the test makes up: what its record says and which files come out."""

import io

import imagecodecs
import numpy as np
import pytest
from attempts import context, green, never, paged, photo_of
from PIL import Image, ImageCms

from model.watermark_code import Payload
from model.watermark_detector import find
from pipelines.archive.attempt import attempt
from pipelines.archive.manifest import Record
from pipelines.images import pages, samples
from tfrecords import color
from tfrecords.color import srgb_to_lab


def test_a_label_is_below_the_picture_and_leaves_picture_and_watermark_as_they_are(encoded, tmp_path, grey_photos):
    grey = np.ascontiguousarray(grey_photos["camera"][:, 100:400])  # the margin makes the longer side longer
    (tmp_path / "a.png").write_bytes(encoded(grey, "PNG"))
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "a.png"), context(green, made, label="on"))
    [output] = record.outputs
    assert (output.height, output.width, output.label) == (*grey.shape, 18)
    [page] = pages.read(made["a.png"])
    assert page.pixels.shape == (output.height + output.label, output.width, 3)
    picture = np.ascontiguousarray(page.pixels[: output.height])
    assert np.abs(color.luminance(picture) - color.luminance(grey)).mean() < 0.2
    payload = Payload.of(record.model_digest, record.settings_digest)
    assert [find(pixels).payload for pixels in (page.pixels, picture)] == [payload, payload]


def test_photos_of_one_pixel_and_of_one_row(encoded, tmp_path):
    for shape in ((1, 1), (1, 3000), (3000, 1)):
        (tmp_path / "b.png").write_bytes(encoded(np.full(shape, 120, np.uint8), "PNG"))
        made: dict[str, bytes] = {}
        record = attempt(photo_of(tmp_path / "b.png"), context(green, made, "tiff"))
        assert record.status == "written"
        assert list(made) == ["b.png.tif"]
        with Image.open(io.BytesIO(made["b.png.tif"])) as image:
            pixels = np.asarray(image)
        assert pixels.shape == (*shape, 3)
        assert (pixels[..., 1] > pixels[..., 0]).all()


def framed(photo: np.ndarray, margin: int = 40) -> np.ndarray:
    return np.pad(photo, margin, constant_values=240)


def test_the_margin_of_a_print_stays_grey_unless_borders_are_kept(tmp_path, encoded, grey_photos):
    """The record names the picture, and the model sees nothing else."""
    photo = grey_photos["coins"]
    height, width = photo.shape
    (tmp_path / "print.png").write_bytes(encoded(framed(photo), "PNG"))
    (tmp_path / "plain.png").write_bytes(encoded(photo, "PNG"))
    seen: dict[str, np.ndarray] = {}

    def made_of(name: str, **settings: str) -> tuple[Record, np.ndarray]:
        def predict(luminance: np.ndarray) -> np.ndarray:
            seen[name] = luminance
            return green(luminance)

        made: dict[str, bytes] = {}
        record = attempt(photo_of(tmp_path / name), context(predict, made, **settings))
        with Image.open(io.BytesIO(made[name])) as image:
            return record, np.asarray(image)

    record, pixels = made_of("print.png")
    assert record.outputs[0].picture == pytest.approx((40, 40, 40 + width, 40 + height), abs=2)
    np.testing.assert_array_equal(pixels[:36], framed(photo)[:36, :, None].repeat(3, axis=-1))
    assert (pixels[60:-60, 60:-60, 1] > pixels[60:-60, 60:-60, 0]).mean() > 0.95
    plain, _ = made_of("plain.png")
    assert plain.outputs[0].picture is None
    np.testing.assert_allclose(seen["print.png"], seen["plain.png"], atol=0.15)
    kept, pixels = made_of("print.png", borders="keep")
    assert kept.outputs[0].picture is None
    assert (pixels[:36, :, 1] > pixels[:36, :, 0]).all()


def test_colours_that_look_like_stains_are_a_warning(tmp_path, encoded):
    backdrop = np.tile(np.linspace(100, 160, 200, dtype=np.uint8), (150, 1))
    (tmp_path / "a.png").write_bytes(encoded(backdrop, "PNG"))

    def patches(luminance: np.ndarray) -> np.ndarray:
        spots = np.kron(np.indices((4, 4)).sum(axis=0) % 2, np.ones((8, 8)))[None, ..., None]
        return (spots * np.array([40, 25])).astype(np.float32)

    assert attempt(photo_of(tmp_path / "a.png"), context(patches, {})).warnings == ("stain_suspected",)
    assert attempt(photo_of(tmp_path / "a.png"), context(green, {})).warnings == ()


@pytest.mark.parametrize(
    ("space", "title", "form", "depth"),
    [
        ("adobe_rgb", "Adobe RGB (1998) compatible", "jpeg", "8"),
        ("display_p3", "Display P3", "webp", "8"),
        ("ecirgb_v2", "eciRGB v2", "png", "keep"),
        ("adobe_rgb", "Adobe RGB (1998) compatible", "tiff", "keep"),
    ],
)
def test_a_file_is_in_the_colour_space_that_was_asked_for_and_says_so(
    tmp_path, encoded, grey_photos, space, title, form, depth
):
    grey = grey_photos["coins"].astype(np.uint16) * 257
    (tmp_path / "a.png").write_bytes(encoded(grey, "PNG"))

    def made_of(name: str) -> tuple[Record, bytes]:
        made: dict[str, bytes] = {}
        settings = {"bit_depth": depth, "quality": 100, "borders": "keep", "color_space": name, "watermark": "off"}
        return attempt(photo_of(tmp_path / "a.png"), context(green, made, form, **settings)), *made.values()

    (plain, srgb), (record, file) = made_of("srgb"), made_of(space)
    assert record.color_space == space
    assert record.outputs[0].colourfulness == pytest.approx(plain.outputs[0].colourfulness, abs=0.5)
    with Image.open(io.BytesIO(file)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert ImageCms.getProfileDescription(profile).strip() == title
    (as_written,), (as_srgb,) = pages.read(file), pages.read(srgb)
    assert as_written.pixels.dtype == (np.uint16 if depth == "keep" else np.uint8)
    lab, expected = (srgb_to_lab(samples.to_bytes(page.pixels)) for page in (as_written, as_srgb))
    assert np.abs(lab - expected).mean() < (2 if form == "webp" else 0.6)
    assert np.abs(lab[..., 0] - color.luminance(grey)).mean() < 0.5


@pytest.mark.parametrize(
    ("form", "settings", "bits", "warnings"),
    [
        ("keep", {}, 16, ()),
        ("tiff", {}, 16, ()),
        ("jpeg", {}, 8, ("depth_reduced",)),
        ("webp", {}, 8, ("depth_reduced",)),
        ("jpeg", {"bit_depth": "8"}, 8, ()),
        ("png", {"bit_depth": "8"}, 8, ()),
    ],
)
def test_a_scan_of_16_bits_stays_so_where_the_format_can(
    tmp_path, encoded, grey_photos, form, settings, bits, warnings
):
    (tmp_path / "a.png").write_bytes(encoded(grey_photos["coins"].astype(np.uint16) * 257, "PNG"))
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "a.png"), context(green, made, form, **settings))
    (page,) = pages.read(*made.values())
    assert page.pixels.dtype.itemsize * 8 == bits
    assert record.warnings == warnings


@pytest.mark.parametrize("form", ["png", "tiff", "webp", "jpeg"])
@pytest.mark.parametrize("depth", [8, 16])
def test_transparency_is_kept_where_the_format_can_and_else_warned_of(tmp_path, grey_photos, form, depth):
    grey = grey_photos["coins"][:200, :300]
    alpha = np.tile(np.linspace(0, 255, 300).astype(np.uint8), (200, 1))
    stored = np.dstack([grey, alpha])
    words = stored.astype(np.uint16) * 257
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(stored if depth == 8 else words))
    deep = depth == 16 and form in ("png", "tiff")
    top = 65535 if deep else 255
    reduced = ("depth_reduced",) if depth == 16 and not deep else ()

    def made_of(**settings: str) -> tuple[Record, np.ndarray]:
        made: dict[str, bytes] = {}
        more = {"quality": 100, "borders": "keep", **settings}
        record = attempt(photo_of(tmp_path / "a.png"), context(green, made, form, **more))
        (file,) = made.values()
        decoders = {"png": imagecodecs.png_decode, "tiff": imagecodecs.imread, "webp": imagecodecs.webp_decode}
        return record, decoders.get(form, imagecodecs.jpeg8_decode)(file)

    record, flat = made_of()
    assert record.warnings == ("alpha_flattened", *reduced)
    assert flat.shape == (200, 300, 3)
    share = alpha / 255
    tolerance = {"jpeg": 3, "webp": 6}.get(form, 0.5)
    on_white = np.rint(grey * share + 255 * (1 - share)).astype(np.uint8)
    lightness = srgb_to_lab((flat // (257 if deep else 1)).astype(np.uint8))[..., 0]
    assert np.abs(lightness - color.luminance(on_white)).mean() < tolerance
    record, kept = made_of(alpha="keep")
    if form == "jpeg":
        assert record.warnings == ("alpha_flattened", *reduced)
        assert kept.shape == (200, 300, 3)
        return
    assert record.warnings == reduced
    assert (kept.shape, kept.dtype) == ((200, 300, 4), np.uint16 if deep else np.uint8)
    np.testing.assert_array_equal(kept[..., 3], alpha.astype(kept.dtype) * (top // 255))
    straight = srgb_to_lab((kept[..., :3] // (top // 255)).astype(np.uint8))
    assert np.abs(straight[..., 0] - color.luminance(grey)).mean() < tolerance
    assert straight[..., 1].mean() < -8, "it has colour, under the transparent part as well"


@pytest.mark.parametrize("file_format", ["keep", "jpeg", "webp"])
def test_the_files_of_a_job_say_in_their_chroma_which_model_and_settings_made_them(
    tmp_path, encoded, grey_photos, file_format
):
    (tmp_path / "a.png").write_bytes(encoded(framed(grey_photos["camera"]), "PNG"))
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "a.png"), context(green, made, file_format))
    [file] = made.values()
    finding = find(next(pages.read(file)).pixels)
    assert finding.payload == Payload(record.model_digest[:6], record.settings_digest[:6])
    attempt(photo_of(tmp_path / "a.png"), context(green, made, file_format, watermark="off"))
    [file] = made.values()
    assert not find(next(pages.read(file)).pixels, cropped=False).detected


@pytest.mark.parametrize("settings", [{}, {"borders": "keep"}])
def test_a_photo_without_a_border_has_the_same_bytes_either_way(tmp_path, encoded, grey_photos, settings):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    made: dict[str, bytes] = {}
    attempt(photo_of(tmp_path / "a.jpg"), context(green, made, watermark="off", **settings))
    expected: dict[str, bytes] = {}
    attempt(photo_of(tmp_path / "a.jpg"), context(green, expected, watermark="off"))
    assert made == expected


def test_a_broken_photo_is_rejected_before_the_model_sees_it(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"Dear archive,")
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "a.jpg"), context(never, made))
    assert (record.status, record.reason, record.bytes, record.outputs, made) == ("rejected", "unreadable", 13, (), {})


def test_what_is_in_colour_is_skipped_or_copied_when_asked_for(tmp_path, encoded, photos, grey_photos):
    sepia = np.clip(grey_photos["coins"][..., None] * np.array([1.07, 0.86, 0.67]), 0, 255).astype(np.uint8)
    for name, pixels in {
        "chelsea.bmp": photos["chelsea"],
        "sepia.bmp": sepia,
        "grey.bmp": grey_photos["coins"],
    }.items():
        (tmp_path / name).write_bytes(encoded(pixels, "BMP"))
    made: dict[str, bytes] = {}
    copied = attempt(photo_of(tmp_path / "chelsea.bmp"), context(never, made, on_color="copy"))
    assert made == {"chelsea.bmp": (tmp_path / "chelsea.bmp").read_bytes()}
    assert (copied.status, copied.outputs[0].tone, copied.outputs[0].sha256) == ("copied", "color", copied.sha256)
    made.clear()
    skipped = attempt(photo_of(tmp_path / "chelsea.bmp"), context(never, made, on_color="skip"))
    assert (skipped.status, skipped.outputs, made) == ("skipped", (), {})
    tones = {}
    for name in ("sepia.bmp", "grey.bmp"):
        record = attempt(photo_of(tmp_path / name), context(green, made, on_color="skip"))
        assert record.status == "written"
        tones[name] = record.outputs[0].tone
    assert tones == {"sepia.bmp": "toned", "grey.bmp": "grayscale"}


def test_the_user_chooses_how_photos_are_read(tmp_path, encoded, grey_photos):
    coins = grey_photos["coins"]
    paged(tmp_path / "scan.tif", [coins, coins, coins])
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "scan.tif"), context(green, made, "png", pages="first"))
    assert ([*made], record.warnings) == (["scan.tif.png"], ("frames_dropped",))
    data = encoded(np.tile(coins, (3, 3)), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    record = attempt(photo_of(tmp_path / "a.png"), context(green, {}, max_megapixels=1))
    assert (record.status, record.reason) == ("rejected", "too_large")
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    record = attempt(photo_of(tmp_path / "a.png"), context(green, {}, truncated="keep"))
    assert (record.status, record.warnings) == ("written", ("truncated",))
