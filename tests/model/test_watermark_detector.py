import io

import cv2
import numpy as np
import pytest
from PIL import Image

from model.framing import recolor_picture
from model.watermark_code import Payload
from model.watermark_detector import find

PAYLOAD = Payload("c0ffee", "0a1b2c")


@pytest.fixture(scope="module")
def plain(photos) -> dict[str, np.ndarray]:
    """Two photographs in their own colours at the detail of a model's chroma; one of 512 and one of 451 px."""
    return {name: _made(photos[name], None) for name in ("astronaut", "chelsea")}


@pytest.fixture(scope="module")
def marked(photos) -> dict[str, np.ndarray]:
    return {name: _made(photos[name], PAYLOAD) for name in ("astronaut", "chelsea")}


def _made(photo: np.ndarray, payload: Payload | None) -> np.ndarray:
    small = cv2.resize(photo, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    chroma = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 1:], (256, 256), interpolation=cv2.INTER_CUBIC)
    return recolor_picture(photo, chroma, None, watermark=payload)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(buffer))


def resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


CHANGES = {
    "nothing": lambda pixels: pixels,
    "JPEG at quality 75": lambda pixels: jpeg(pixels, 75),
    "half the size": lambda pixels: resized(pixels, pixels.shape[1] // 2, pixels.shape[0] // 2),
    "1,000 px": lambda pixels: resized(pixels, 1000, round(1000 * pixels.shape[0] / pixels.shape[1])),
    "brighter": lambda pixels: np.clip(pixels * 1.2, 0, 255).astype(np.uint8),
    "less contrast": lambda pixels: np.clip((pixels - 128.0) * 0.8 + 128, 0, 255).astype(np.uint8),
    "a quarter turn": np.rot90,
    "mirrored": lambda pixels: pixels[:, ::-1],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
def test_a_watermark_survives(marked, name, change):
    finding = find(CHANGES[change](marked[name]), cropped=False)
    assert finding.detected
    assert finding.searched == "whole"
    assert finding.payload == PAYLOAD or change == "JPEG at quality 75"


def test_a_part_of_a_photo_tells_what_the_whole_does(marked):
    pixels = marked["chelsea"]
    height, width = pixels.shape[:2]
    part = jpeg(pixels[height // 5 : height // 5 + height * 7 // 10, width // 10 : width // 10 + width * 7 // 10], 90)
    finding = find(part)
    assert finding.detected
    assert finding.payload == PAYLOAD
    assert finding.part == pytest.approx(0.7, abs=0.01)


def test_nothing_is_found_where_nothing_is(plain, photos):
    finding = find(plain["chelsea"])
    assert (finding.detected, finding.payload, finding.searched) == (False, None, "parts")
    assert finding.false_alarm > 0.01
    for pixels in (*plain.values(), *photos.values()):
        assert abs(find(pixels, cropped=False).z) < 4


def test_grey_has_no_watermark(marked):
    grey = cv2.cvtColor(marked["chelsea"], cv2.COLOR_RGB2GRAY)
    for pixels in (grey, np.dstack([grey] * 3), np.zeros((1, 900, 3), np.uint8)):
        finding = find(pixels)
        assert (finding.detected, finding.payload, finding.false_alarm) == (False, None, 1.0)
        assert finding.searched == "nothing"
