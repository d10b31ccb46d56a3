"""One photo through all stages, with a model that the test makes up: what its record says and which files come out."""

import errno
import hashlib
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from model.guidance.hints import chroma_of
from model.watermark_code import Payload
from model.watermark_detector import find
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Context
from pipelines.archive.manifest import Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.render import render
from pipelines.errors import ModelError, Undecided
from pipelines.files.sources import Source
from pipelines.guidance.planning import planned
from pipelines.images import pages, samples
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords import color
from tfrecords.color import srgb_to_lab


def photo_of(path: Path) -> NamedSource:
    source = Source(uri=str(path), name=path.name, size=path.stat().st_size, fingerprint="1-1")
    return NamedSource(source=source, own=source.name, stem=source.name)


PROCESSES = PhotoProcesses(render)


def context(predict, made: dict[str, bytes], format_: str = "keep", **more: Any) -> Context:
    def save(record: Record, files: dict[str, bytes]) -> Record:
        made.update(files)
        return record

    settings = Settings(format=format_, **more)
    return Context(
        recipe=Recipe(model="mini", model_digest="0" * 64, settings=settings, settings_digest=settings.digest()),
        size=32,
        predict=lambda luminance, hints: predict(luminance),
        save=save,
        processes=PROCESSES,
        load=lambda model: pytest.fail(f"{model} is not wanted"),
    )


def green(luminance: np.ndarray) -> np.ndarray:
    assert luminance.shape == (1, 32, 32, 1)
    return np.broadcast_to(np.array([-20, 20], np.float32), (1, 32, 32, 2))


def never(luminance: np.ndarray) -> np.ndarray:
    raise AssertionError


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


@pytest.mark.parametrize("on_bad_hint", ["reject", "ignore"])
def test_a_broken_hint_rejects_its_photo_or_is_left_out_with_a_warning(tmp_path, encoded, grey_photos, on_bad_hint):
    (tmp_path / "a.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    (tmp_path / "a.png.hints.png").write_bytes(b"no picture")
    plan = planned(hints=str(tmp_path), on_bad_hint=on_bad_hint)
    plain: dict[str, bytes] = {}
    made: dict[str, bytes] = {}
    attempt(photo_of(tmp_path / "a.png"), context(green, plain))
    with_plan = context(green, made)
    record = attempt(photo_of(tmp_path / "a.png"), replace(with_plan, recipe=replace(with_plan.recipe, plan=plan)))
    assert record.guided["hints"]["file"] == "a.png.hints.png"
    assert with_plan.recipe.has_made(record, "a.png") is False
    if on_bad_hint == "reject":
        assert (record.reason, made) == ("bad_hint", {})
        return
    assert record.warnings == ("bad_hint",)
    images = [np.asarray(Image.open(io.BytesIO(files["a.png"]))) for files in (made, plain)]
    np.testing.assert_array_equal(*images)
    strict = replace(with_plan.recipe, plan=replace(plan, on_bad_hint="reject"))
    assert not strict.has_made(record, "a.png")
    assert replace(strict, plan=plan).has_made(record, "a.png")


def test_a_hint_file_that_is_gone_or_new_is_what_the_record_says(tmp_path, encoded, grey_photos):
    (tmp_path / "a.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    file = tmp_path / "a.png.hints.json"
    file.write_text('[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]')
    plan = planned(hints=str(tmp_path))
    file.write_text('[{"x": 0.5, "y": 0.5, "color": "#0000ff"}]')
    with_plan = context(green, {})
    guided = replace(with_plan, recipe=replace(with_plan.recipe, plan=plan))
    record = attempt(photo_of(tmp_path / "a.png"), guided)
    assert record.status == "written"
    assert record.guided == planned(hints=str(tmp_path)).of("a.png").told() != plan.of("a.png").told()
    file.unlink()
    assert attempt(photo_of(tmp_path / "a.png"), guided).reason == "bad_hint"


def test_hints_for_the_second_page_colour_it_and_not_the_first(tmp_path, grey_photos):
    page = grey_photos["coins"][:100, :100]
    Image.fromarray(page).save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(page)])
    (tmp_path / "a.tif.p002.hints.json").write_text('[{"x": 0.5, "y": 0.5, "radius": 0.1, "color": "#a06080"}]')
    made: dict[str, bytes] = {}
    plain = context(green, made)
    guided = replace(plain, recipe=replace(plain.recipe, plan=planned(hints=str(tmp_path))))
    record = attempt(photo_of(tmp_path / "a.tif"), guided)
    assert record.guided == guided.recipe.plan.of("a.tif").told()
    first, second = (srgb_to_lab(found.pixels)[50, 50] for found in pages.read(made["a.tif"]))
    assert np.hypot(*(second[1:] - chroma_of((0xA0, 0x60, 0x80)))) < 1
    assert first[1] < 0 < second[1]


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


def test_saturation_scales_chroma_and_leaves_luminance_and_hue(tmp_path, encoded, grey_photos):
    photo = np.clip(grey_photos["coins"], 60, 200)  # where sRGB shows the colours
    (tmp_path / "a.png").write_bytes(encoded(photo, "PNG"))

    def made_of(saturation: float) -> tuple[Record, np.ndarray]:
        made: dict[str, bytes] = {}
        record = attempt(photo_of(tmp_path / "a.png"), context(green, made, saturation=saturation))
        with Image.open(io.BytesIO(made["a.png"])) as image:
            return record, srgb_to_lab(np.asarray(image))

    _, plain = made_of(1)
    for saturation in (0, 0.5, 1.1):
        record, lab = made_of(saturation)
        assert record.saturation == saturation
        assert np.abs(lab[..., 0] - plain[..., 0]).max() < 0.5
        a, b = lab[..., 1:].mean(axis=(0, 1)) - saturation * plain[..., 1:].mean(axis=(0, 1))
        assert np.hypot(a, b) < 0.3


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


def paged(path: Path, pages: list[np.ndarray]) -> None:
    images = [Image.fromarray(page) for page in pages]
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")


def test_pages_stay_together_in_a_tiff_and_become_files_elsewhere(tmp_path, grey_photos, photos):
    pages = [grey_photos["coins"], photos["coffee"], grey_photos["moon"][:100]]
    paged(tmp_path / "scan.tif", pages)
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "scan.tif"), context(green, made))
    assert [(one.name, one.page, one.tone) for one in record.outputs] == [
        ("scan.tif", 1, "grayscale"),
        ("scan.tif", 2, "color"),
        ("scan.tif", 3, "grayscale"),
    ]
    assert [(one.height, one.width) for one in record.outputs] == [page.shape[:2] for page in pages]
    assert len({(one.bytes, one.sha256) for one in record.outputs}) == 1
    with Image.open(io.BytesIO(made["scan.tif"])) as image:
        assert image.n_frames == 3
    assert set(record.milliseconds) == {"read", "decode", "predict", "merge", "encode", "write"}
    made.clear()
    record = attempt(photo_of(tmp_path / "scan.tif"), context(green, made, "png"))
    assert list(made) == [f"scan.tif.p00{page}.png" for page in (1, 2, 3)]
    for one, page in zip(record.outputs, pages, strict=True):
        assert (len(made[one.name]), one.sha256) == (one.bytes, hashlib.sha256(made[one.name]).hexdigest())
        with Image.open(io.BytesIO(made[one.name])) as image:
            assert image.size == page.shape[1::-1]
    # Not all of its pages are in colour.
    assert attempt(photo_of(tmp_path / "scan.tif"), context(green, {}, on_color="skip")).status == "written"


LONG_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x3b\x01\x02\0\x70\x11\x01\0\x1a\0\0\0" + bytes(4) + b"x" * 70_000


@pytest.mark.parametrize(
    ("source", "target", "options", "expected"),
    [
        ("JPEG", "webp", {"comment": b"im Schnee"}, ()),
        ("JPEG", "jpeg", {"comment": b"im Schnee"}, ()),
        ("PNG", "jpeg", {"exif": LONG_EXIF}, ("exif_shortened", "left out: EXIF Artist")),
        ("PNG", "png", {"exif": LONG_EXIF}, ()),
        ("JPEG", "jpeg", {"exif": b"Exif\0\0" + b"\xa5" * 40, "xmp": b"<x"}, ("exif_broken", "xmp_broken")),
    ],
)
def test_what_could_not_be_carried_is_in_the_record(tmp_path, encoded, grey_photos, source, target, options, expected):
    (tmp_path / "a").write_bytes(encoded(grey_photos["coins"], source, **options))
    record = attempt(photo_of(tmp_path / "a"), context(green, {}, target))
    assert (record.status, record.warnings) == ("written", expected)


def test_warnings_of_all_pages_are_in_the_record_once(tmp_path, grey_photos):
    images = [Image.fromarray(grey_photos[name]) for name in ("coins", "moon", "camera")]
    packets = [b"<a/>", b"<a", b"<a"]
    for image, packet in zip(images, packets, strict=True):
        image.encoderinfo = {"tiffinfo": {700: packet}}
    images[0].save(tmp_path / "scan.tif", save_all=True, append_images=images[1:], tiffinfo={700: packets[0]})
    for target in ("tiff", "png"):
        assert attempt(photo_of(tmp_path / "scan.tif"), context(green, {}, target)).warnings == ("xmp_broken",)


def with_zeros(data: bytes, start: int) -> bytes:
    """A file whose last quarter, or another part from the start on, is gone, except its end."""
    return data[:start] + bytes(len(data) // 4 - 400) + data[start + len(data) // 4 - 400 :]


def test_a_broken_page_after_the_first_is_left_out_with_a_warning(tmp_path, grey_photos):
    paged(tmp_path / "scan.tif", [grey_photos["coins"], grey_photos["moon"]])
    data = (tmp_path / "scan.tif").read_bytes()
    (tmp_path / "scan.tif").write_bytes(with_zeros(data, len(data) - len(data) // 4))
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "scan.tif"), context(green, made, "png"))
    assert (record.status, [*made], record.warnings) == ("written", ["scan.tif.png"], ("page_unreadable",))


def test_a_broken_first_page_rejects_the_file_and_leaves_nothing_behind(tmp_path, grey_photos):
    paged(tmp_path / "scan.tif", [grey_photos["coins"], grey_photos["moon"]])
    (tmp_path / "scan.tif").write_bytes(with_zeros((tmp_path / "scan.tif").read_bytes(), 1000))
    made: dict[str, bytes] = {}
    record = attempt(photo_of(tmp_path / "scan.tif"), context(green, made, "png"))
    assert (record.status, record.reason, record.outputs, made) == ("rejected", "unreadable", (), {})
    assert "page 1 of 2" in record.detail


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


def test_a_model_that_fails_is_no_photo_s_fault(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    with pytest.raises(ModelError, match="AssertionError"):
        attempt(photo_of(tmp_path / "a.jpg"), context(never, {}))


def test_a_prediction_without_memory_is_tried_again_and_then_rejected(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))

    def short(_: np.ndarray) -> np.ndarray:
        raise MemoryError

    with pytest.raises(Undecided) as raised:
        attempt(photo_of(tmp_path / "a.jpg"), context(short, {}))
    assert isinstance(raised.value.__cause__, MemoryError)
    assert raised.value.__cause__.__cause__ is None
    record = attempt(photo_of(tmp_path / "a.jpg"), context(short, {}), last=True)
    assert (record.status, record.reason) == ("rejected", "out_of_memory")


def test_a_name_that_no_file_can_have_is_a_rejection_and_a_full_disk_is_none(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))

    def attempted(number: int) -> Record:
        def save(record: Record, files: dict[str, bytes]) -> Record:
            raise OSError(number, os.strerror(number))

        return attempt(photo_of(tmp_path / "a.jpg"), replace(context(green, {}), save=save))

    assert attempted(errno.ENAMETOOLONG).reason == "unwritable"
    with pytest.raises(OSError, match="No space left"):
        attempted(errno.ENOSPC)


def test_pixels_that_break_the_join_reject_their_own_photo_only(tmp_path, encoded, grey_photos):
    (tmp_path / "a.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    record = attempt(photo_of(tmp_path / "a.jpg"), context(lambda luminance: np.zeros((1, 0, 0, 2), np.float32), {}))
    assert (record.status, record.reason) == ("rejected", "failed")
    assert record.detail
