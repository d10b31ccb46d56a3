"""Photos in mounts whose edges are known."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Bytes

CAPTION = "No. 231  View of the harbour, 1893"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A mount.

    Attributes:
        tone: of its paper, 0 to 255.
        margins: left, right, above and below, as parts of the picture's sides.
        tilt: of the picture, in degrees.
        caption: whether the lower margin has one.
        texture: of the paper: 1 has grain of one code, and clouds of three.
        seed: of the texture.
    """

    tone: int
    margins: tuple[float, float, float, float]
    tilt: float = 0.0
    caption: bool = False
    texture: float = 1.0
    seed: int = 0


def mounted(picture: Bytes, mount: Mount) -> tuple[Bytes, NDArray[np.bool_]]:
    """Return a picture in a mount, and which pixels belong to the picture.

    Args:
        picture: uint8 ``[h, w]``.
        mount: around it.
    """
    height, width = picture.shape
    left, right, top, bottom = (
        round(part * side) for part, side in zip(mount.margins, (width, width, height, height), strict=True)
    )
    shape = height + top + bottom, width + left + right
    generator = np.random.default_rng(mount.seed)
    clouds = cv2.resize(generator.normal(0, 1, (4, 4)), shape[::-1], interpolation=cv2.INTER_CUBIC)
    paper = mount.tone + mount.texture * (3 * clouds + generator.normal(0, 1, shape))
    if mount.caption:
        text = np.zeros(shape, np.uint8)
        place = left + width // 8, top + height + round(0.6 * bottom)
        cv2.putText(text, CAPTION, place, cv2.FONT_HERSHEY_COMPLEX, bottom / 90, 255, max(1, bottom // 40))
        paper += ((30 if mount.tone > 110 else 225) - paper) * (text / 255)
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), mount.tilt, 1)
    turned[:, 2] += left, top
    laid = cv2.warpAffine(picture.astype(np.float64), turned, shape[::-1])
    cover = cv2.warpAffine(np.ones(picture.shape), turned, shape[::-1])
    photo = np.clip(np.rint(paper * (1 - cover) + laid), 0, 255).astype(np.uint8)
    return photo, cover > 0.5


def grey(photo: Bytes) -> Bytes:
    """Return the grey of a photo, uint8 ``[h, w]``."""
    return photo if photo.ndim == 2 else cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
