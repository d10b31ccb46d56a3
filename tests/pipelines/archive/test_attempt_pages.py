"""One photo of several pages through all stages, and what it carries besides its pixels."""

import hashlib
import io
from dataclasses import replace

import pytest
from attempts import context, green, paged, photo_of
from PIL import Image

from pipelines.archive.attempt import attempt


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


def test_only_a_photo_whose_file_has_another_name_has_a_warning_about_it(tmp_path, grey_photos):
    paged(tmp_path / "scan.tif", [grey_photos["coins"][:40, :40]] * 2)
    # There is a photo scan.tif.p001.png as well, so that pages in files of their own need a number.
    named = replace(photo_of(tmp_path / "scan.tif"), stem="scan.tif~2")
    assert attempt(named, context(green, {})).warnings == ()
    [warning] = attempt(named, context(green, {}, "png")).warnings
    assert warning == "written as scan.tif~2.p001.png: its name is that of another photo"
