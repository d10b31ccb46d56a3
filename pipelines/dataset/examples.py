"""Turn one photo into one Lab example: judge, resize, convert. This is the work of a child process in `prepare`."""

from dataclasses import replace

import numpy as np

from pipelines.dataset import classes
from pipelines.dataset.converted import Converted, digest_of
from pipelines.errors import Rejected
from pipelines.images.decode import Photo, decode
from pipelines.images.photo_area import judge
from pipelines.runtime.stopwatch import Stopwatch
from tfrecords.color import Bytes, srgb_to_codes
from tfrecords.example import LabExample, synset_of
from tfrecords.squeezing import squeezed
from tfrecords.statistics import Statistics

# Smaller photos show nothing; a few ImageNet files are 20 pixels wide.
MIN_SIDE = 32


def warm_up() -> None:
    """Load the compiled loops, and compile them where no process has done so yet.

    It is done before the first photo, whose limits on time and memory do not count it.
    """
    pixels = np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8)
    pixels[..., 0] = 255  # a grey photo is judged without most of the loops
    judge(pixels)
    luminance, chroma = srgb_to_codes(pixels)
    example = LabExample(luminance=luminance, chroma=chroma, height=MIN_SIDE, width=MIN_SIDE, name="")
    Statistics().add(example, len(example.to_bytes()))


def convert(parent: object, data: bytes, name: str, size: int, label: str = "") -> Converted:
    """Decode a photo and turn it into a training example; a handler of `pipelines.runtime.photo_server`.

    Args:
        parent: not used.
        data: the bytes of the photo.
        name: see `to_example`.
        size: see `to_example`.
        label: class of its sample in a WebDataset, see `pipelines.dataset.classes.synset`.

    Raises:
        Exception: there is too little memory (`pipelines.images.memory.out_of_memory`), or this code has a bug.
    """
    watch = Stopwatch()
    try:
        with watch.stage("decode"):
            # Not below twice the size: that differs from full decoding by 0.26 in L and 0.14 in ab on average.
            photo = decode(data, shrink_to=2 * size)
        with watch.stage("convert"):
            example = to_example(photo, name, size)
            if label:
                example = replace(example, synset=classes.synset(name, label))
            record = example.to_bytes()
            statistics = Statistics()
            statistics.add(example, len(record))
        return Converted(
            record=record, statistics=statistics, milliseconds=dict(watch.milliseconds), digest=digest_of(data)
        )
    except Rejected as verdict:
        milliseconds = dict(watch.milliseconds)
        return Converted(
            reason=verdict.reason, detail=verdict.detail, milliseconds=milliseconds, digest=digest_of(data)
        )


def to_example(photo: Photo, name: str, size: int) -> LabExample:
    """Turn a photo into a training example.

    Args:
        photo: decoded, perhaps reduced, but with no side below that of the example.
        name: path relative to the input; it contains the synset.
        size: side S of the example in pixels. The photo is squeezed into a square, as in the paper.

    Returns:
        the example, with luminance uint8 ``[S, S]`` and chroma uint8 ``[S, S, 2]``.

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
    luminance, chroma = srgb_to_codes(_square(photo.pixels, size))
    return LabExample(
        luminance=luminance,
        chroma=chroma,
        height=photo.height,
        width=photo.width,
        name=name,
        synset=synset_of(name),
    )


def _square(pixels: Bytes, size: int) -> Bytes:
    return squeezed(pixels, size, size).view(np.uint8)
