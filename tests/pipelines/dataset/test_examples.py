import cv2
import numpy as np
import pytest
import skimage.color
from PIL import Image

from model.upsampling import model_luminance
from pipelines.dataset import examples
from pipelines.errors import Rejected
from pipelines.images.decode import decode
from tfrecords.example import LabExample


def to_example(data: bytes, name: str, size: int) -> LabExample:
    return examples.to_example(decode(data, shrink_to=size), name, size)


def rejection(data: bytes, size: int = 64) -> str:
    with pytest.raises(Rejected) as raised:
        to_example(data, "x.jpg", size)
    assert raised.value.detail
    return raised.value.reason


@pytest.mark.parametrize("size", [32, 256, 640])
def test_a_photo_becomes_an_example(photos, encoded, size):
    example = to_example(encoded(photos["coffee"], "PNG"), "n01440764/coffee.png", size)
    assert (example.name, example.synset) == ("n01440764/coffee.png", "n01440764")
    assert (example.height, example.width) == (400, 600)
    assert (example.luminance.shape, example.chroma.shape) == ((size, size), (size, size, 2))
    assert example.luminance.dtype == example.chroma.dtype == np.uint8
    kernel = cv2.INTER_AREA if size < 400 else cv2.INTER_LINEAR
    lab = skimage.color.rgb2lab(cv2.resize(photos["coffee"], (size, size), interpolation=kernel))
    assert np.abs(example.luminance / 2.55 - lab[..., 0]).max() < 0.21
    assert np.abs(example.chroma.astype(int) - 128 - lab[..., 1:]).max() < 0.55


@pytest.mark.parametrize(("height", "width"), [(100, 140), (60, 400), (250, 300), (300, 400), (380, 600)])
def test_a_model_sees_a_photo_as_it_saw_its_examples(photos, encoded, height, width):
    photo = cv2.resize(photos["coffee"], (width, height), interpolation=cv2.INTER_AREA)
    example = to_example(encoded(photo, "PNG"), "a.png", 256)
    seen = model_luminance(photo, 256)[..., 0] * 100
    assert np.abs(example.luminance / 2.55 - seen).max() < 0.2


def test_a_jpeg_is_decoded_smaller_and_looks_the_same(photos, encoded):
    large = cv2.resize(photos["chelsea"], (1804, 1200), interpolation=cv2.INTER_CUBIC)
    fast = to_example(encoded(large, "JPEG", quality=98), "a.jpg", 64)
    whole = to_example(encoded(large, "PNG"), "a.jpg", 64)
    assert (fast.height, fast.width) == (1200, 1804)
    assert np.abs(fast.luminance.astype(int) - whole.luminance).mean() < 2
    assert np.abs(fast.chroma.astype(int) - whole.chroma).mean() < 1


def test_the_size_is_of_the_upright_photo(photos, encoded):
    exif = Image.Exif()
    exif[0x0112] = 8
    example = to_example(encoded(photos["rocket"], "JPEG", exif=exif), "a.jpg", 32)
    assert (example.height, example.width) == (640, 427)


def test_grey_ones_teach_nothing(photos, grey_photos, encoded):
    for pixels in grey_photos.values():
        assert rejection(encoded(pixels, "JPEG")) == "grayscale"
        assert rejection(encoded(np.dstack([pixels] * 3), "PNG")) == "grayscale"
    warm = np.dstack([grey_photos["camera"] * factor for factor in (1.0, 0.85, 0.65)]).astype(np.uint8)
    assert rejection(encoded(warm, "PNG"), 256) == "toned"
    noise = np.random.default_rng(0).normal(0, 1.5, (512, 512, 3))
    noisy = np.clip(grey_photos["camera"][..., None] + noise, 0, 255).astype(np.uint8)
    assert rejection(encoded(noisy, "PNG"), 256) == "near_gray"


def test_too_small_is_judged_by_the_photo_and_not_by_what_was_decoded(photos, encoded):
    tiny = cv2.resize(photos["coffee"], (300, 31), interpolation=cv2.INTER_AREA)
    assert rejection(encoded(tiny, "PNG")) == "too_small"
    for size in (8, 16, 24):
        example = to_example(encoded(photos["coffee"][:200, :200], "JPEG", quality=95), "a.jpg", size)
        assert (example.height, example.width, example.luminance.shape) == (200, 200, (size, size))


@pytest.mark.parametrize("data", [b"", b"Dear archive,\n"])
def test_what_is_no_photo(data):
    assert rejection(data) == "unreadable"


def test_a_jpeg_whose_rows_are_missing_becomes_no_example(photos, encoded):
    whole = encoded(photos["coffee"], "JPEG")
    assert examples.convert(None, whole, "a.jpg", 64).record
    cut = examples.convert(None, whole[: len(whole) // 2] + b"\xff\xd9", "a.jpg", 64)
    assert (cut.record, cut.reason) == (b"", "unreadable")
    assert "of 400 rows are missing" in cut.detail
