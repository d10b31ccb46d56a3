"""Tell photos that are in colour from grey and toned ones."""

from model import borders
from pipelines.images import photo_area, samples
from pipelines.images.photo_area import Find
from tfrecords.color import Pixels

COLOR = "color"
# Old prints fade unevenly and have stains. Of 104 historic scans, 23 % are farther from one curve than `prepare` allows
# for a toned photo, and 2 % farther than three times that; of colour photos 95 % are.
_STAINED = 3.0


def tone_of(pixels: Pixels, chroma_step: int, find: Find = borders.find) -> str:
    """Return the tone of a photo: ``grayscale``, ``near_gray``, ``toned`` or ``color`` (`pipelines.images.photo_area`).

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        chroma_step: `pipelines.images.decode.Photo.chroma_step` of the file.
        find: finds the picture within its border, in the pixels with 8 bits.
    """
    if pixels.ndim == 2:
        return "grayscale"
    verdict = photo_area.judge(samples.to_bytes(pixels), chroma_step, find)
    if verdict.reason is None and verdict.residual <= _STAINED * verdict.allowed:
        return "toned"
    return verdict.reason or COLOR
