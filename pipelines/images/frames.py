"""How many pictures a file of one picture has beside: the frames of animations, stereo pairs and bursts."""

from typing import Any

from PIL import Image

from pipelines.images import memory

# Others count layers or sizes of one picture, or have pages, as TIFF.
_FORMATS = ("AVIF", "DCX", "FLI", "GIF", "IM", "MPO", "PNG", "SPIDER", "WEBP")
_MPO_ENTRIES = 0xB002
_MPO_THUMBNAIL = "Large Thumbnail"


def of(image: Image.Image) -> int:
    """Return the number of frames of an open file, without the thumbnails of an MPO; at least 1."""
    if image.format not in _FORMATS and not hasattr(image, "mpinfo"):
        return 1
    with memory.suppressed(Exception):
        told: Any = getattr(image, "mpinfo", None)
        if told:
            kinds = [str(entry["Attribute"]["MPType"]) for entry in told[_MPO_ENTRIES]]
            return max(1, sum(not kind.startswith(_MPO_THUMBNAIL) for kind in kinds))
        return 2 if getattr(image, "is_animated", False) else 1
    return 1
