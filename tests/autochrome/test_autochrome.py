"""`autochrome` from Python: the pixels that the job makes, and errors that say what to do."""

import io
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import autochrome
from pipelines import colorize
from tfrecords import color


@pytest.fixture(scope="module")
def model(saved_model_dir):
    return autochrome.load_model(saved_model_dir)


def test_importing_it_is_light_and_says_its_version():
    code = "import sys, autochrome; print(*(set(sys.modules) & {'numpy', 'tensorflow', 'apache_beam', 'cv2', 'PIL'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
    assert autochrome.__version__ == version("autochrome")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(90, 140), (90, 140, 3), (1, 1), (1, 300, 3)])
def test_pixels_keep_size_type_and_lightness(grey_photos, model, dtype, shape):
    grey = grey_photos["coins"][: shape[0], : shape[1]].astype(dtype) * (257 if dtype == np.uint16 else 1)
    pixels = np.repeat(grey[..., None], 3, axis=-1) if len(shape) == 3 else grey
    before = pixels.copy()
    colour = model.colorize(pixels)
    assert (colour.dtype, colour.shape) == (dtype, (*shape[:2], 3))
    np.testing.assert_array_equal(pixels, before)
    assert np.abs(color.luminance(colour) - color.luminance(pixels)).max() < 1
    np.testing.assert_array_equal(model.colorize(np.asfortranarray(pixels)), colour)


def test_a_path_gives_the_pixels_that_the_job_writes(grey_photos, saved_model_dir, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned
    path = tmp_path / "scan.jpg"
    Image.fromarray(grey_photos["coins"][:90, :140]).save(path, exif=exif)
    flags = [f"--input={path}", f"--output={tmp_path / 'colour.png'}", f"--model={saved_model_dir}", "--watermark=off"]
    assert colorize.main(flags) == 0
    expected = np.asarray(Image.open(tmp_path / "colour.png"))
    assert expected.shape == (140, 90, 3)
    for named in (path, str(path)):
        np.testing.assert_array_equal(autochrome.colorize(named, saved_model_dir), expected)


@pytest.mark.parametrize("borders", ["ignore", "keep"])
def test_a_print_in_its_mount_is_what_the_job_makes_of_it(grey_photos, saved_model_dir, tmp_path, borders):
    path = tmp_path / "print.png"
    Image.fromarray(np.pad(grey_photos["coins"], 40, constant_values=240)).save(path)
    flags = [f"--input={path}", f"--output={tmp_path / 'colour.png'}", f"--model={saved_model_dir}", "--watermark=off"]
    assert colorize.main([*flags, f"--borders={borders}"]) == 0
    colour = autochrome.colorize(path, saved_model_dir, borders)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "colour.png")), colour)
    margin = colour[:36]
    assert (margin == margin[..., :1]).all() == (borders == "ignore")


def test_an_unknown_way_with_borders_is_refused(model):
    with pytest.raises(ValueError, match="borders must be ignore or keep, not 'cut'"):
        model.colorize(np.zeros((4, 4), np.uint8), "cut")


def test_saturation_is_what_the_job_makes_of_it(grey_photos, saved_model_dir, model, tmp_path):
    path = tmp_path / "scan.png"
    Image.fromarray(grey_photos["coins"][:90, :140]).save(path)
    flags = [f"--input={path}", f"--output={tmp_path / 'colour.png'}", f"--model={saved_model_dir}", "--watermark=off"]
    assert colorize.main([*flags, "--saturation=0.5"]) == 0
    colour = autochrome.colorize(path, saved_model_dir, saturation=0.5)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "colour.png")), colour)
    assert color.colourfulness(colour) < color.colourfulness(model.colorize(grey_photos["coins"][:90, :140]))
    assert colorize.main([*flags, f"--output={tmp_path / 'wide.png'}", "--color_space=adobe_rgb"]) == 0
    wide = autochrome.colorize(path, saved_model_dir, color_space="adobe_rgb")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "wide.png")), wide)
    with pytest.raises(ValueError, match="color_space must be one of srgb, adobe_rgb, display_p3, ecirgb_v2, not"):
        autochrome.colorize(path, saved_model_dir, color_space="cmyk")
    with pytest.raises(ValueError, match="saturation must be a number from 0 to 4"):
        autochrome.colorize(path, saved_model_dir, saturation=-1)


def test_a_deep_scan_keeps_its_depth(grey_photos, saved_model_dir, tmp_path):
    deep = grey_photos["coins"][:90, :140].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    colour = autochrome.colorize(tmp_path / "deep.png", saved_model_dir)
    assert (colour.dtype, colour.shape) == (np.uint16, (90, 140, 3))
    np.testing.assert_array_equal(colour, autochrome.colorize(deep, saved_model_dir))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(model, pixels):
    with pytest.raises(ValueError, match=r"pixels must be uint8 or uint16 \[H, W\] or \[H, W, 3\], and are"):
        model.colorize(pixels)


def test_files_and_models_that_cannot_be_used_are_one_line(saved_model_dir, grey_photos, tmp_path):
    file = io.BytesIO()
    Image.fromarray(grey_photos["coins"]).save(file, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(file.getvalue()[:3000])
    (tmp_path / "text.jpg").write_bytes(b"no photo")
    pixels = np.zeros((4, 4), np.uint8)
    cases = [
        (tmp_path / "nowhere.jpg", saved_model_dir, "nowhere.jpg cannot be read: No such file or directory$"),
        (tmp_path, saved_model_dir, "cannot be read: Is a directory$"),
        (tmp_path / "cut.jpg", saved_model_dir, "cut.jpg cannot be colorized: unreadable"),
        (tmp_path / "text.jpg", saved_model_dir, "text.jpg cannot be colorized: unreadable"),
        (pixels, str(tmp_path / "nomodel"), "nomodel does not exist"),
    ]
    for photo, model, message in cases:
        with pytest.raises(autochrome.UserError, match=message) as raised:
            autochrome.colorize(photo, model)
        assert "\n" not in str(raised.value)


def test_hints_that_cannot_be_used_are_one_line_without_repetition(saved_model_dir, tmp_path):
    (tmp_path / "empty.hints.png").write_bytes(b"")
    pixels = np.zeros((4, 4), np.uint8)
    cases = [
        ([{"x": 2, "y": 0, "color": "#000000"}], "the hints cannot be used: x must be a number from 0 to 1, not 2$"),
        (tmp_path / "empty.hints.png", "the hints cannot be used: it is neither PNG nor JSON"),
        (tmp_path / "none.json", r"none\.json cannot be read: No such file or directory$"),
    ]
    for hints, message in cases:
        with pytest.raises(autochrome.UserError, match=message):
            autochrome.colorize(pixels, saved_model_dir, hints=hints)


def test_the_packages_say_their_types(repository: Path):
    for package in ("autochrome", "model", "pipelines", "tfrecords"):
        assert (repository / package / "py.typed").exists()
