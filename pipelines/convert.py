"""One photo to one Lab example: judge, resize, convert."""

import cv2

from pipelines.grayscale import judge
from pipelines.outcomes import Rejected
from pipelines.photo import Photo
from tfrecords.color import srgb_to_codes
from tfrecords.example import LabExample, synset_of

# Below this there is nothing to see: a few ImageNet files are 20 pixels wide.
MIN_SIDE = 32


def to_example(photo: Photo, name: str, size: int) -> LabExample:
    """Turns a photo into a training example.

    Args:
        photo: decoded, perhaps smaller than it is but with no side below the example's.
        name: path relative to the input; the synset is read off it.
        size: side S of the example. The photo is squeezed to a square (area averaging), as the paper has it.

    Returns:
        the example, with luminance and chroma of S x S.

    Raises:
        Rejected: ``too_small``, ``grayscale``, ``near_gray`` or ``toned``.
    """
    if min(photo.height, photo.width) < MIN_SIDE:
        raise Rejected("too_small", f"{photo.width} x {photo.height} pixels")
    if photo.pixels.ndim == 2:
        raise Rejected("grayscale", "one channel")
    verdict = judge(photo.pixels, photo.chroma_step)
    if verdict.reason:
        figures = f"mean chroma {verdict.chroma:.1f}, off one curve by {verdict.residual:.2f} of {verdict.allowed:.2f}"
        raise Rejected(verdict.reason, figures)
    interpolation = cv2.INTER_AREA if min(photo.pixels.shape[:2]) >= size else cv2.INTER_LINEAR
    luminance, chroma = srgb_to_codes(cv2.resize(photo.pixels, (size, size), interpolation=interpolation))
    return LabExample(
        luminance=luminance,
        chroma=chroma,
        height=photo.height,
        width=photo.width,
        name=name,
        synset=synset_of(name),
    )
