"""Autochrome in Python: colour for one photo or for arrays.

    import autochrome

    colour = autochrome.colorize("scan.tif")            # uint8 or uint16 [H, W, 3], sRGB
    model = autochrome.load_model("run/saved_model")    # one of your own
    colour = model.colorize(pixels)

Whole archives are for the command ``autochrome colorize`` and the transforms of `pipelines`, records for
`tfrecords.load`. NumPy, TensorFlow and the rest are imported when they are first needed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tfrecords.errors import UserError
from tfrecords.uris import is_remote

if TYPE_CHECKING:
    from model.colorizer import Colorizer
    from model.guidance.hints import Hints
    from tfrecords.color import Bytes, Pixels

__all__ = ["UserError", "__version__", "colorize", "load_model"]

__version__ = version("autochrome")


def colorize(
    photo: Pixels | str | os.PathLike[str],
    model: str = "released",
    borders: Literal["ignore", "keep"] = "ignore",
    *,
    saturation: float = 1.0,
    color_space: str = "srgb",
    hints: Bytes | str | os.PathLike[str] | Sequence[Mapping[str, object]] | None = None,
    hint_reach: float | None = None,
) -> Pixels:
    """Colorize one photo. The result has no watermark, unlike the files of the job.

    The model is loaded once and kept. Of colour that a photo has, only the lightness is used. A photo that is opened
    here is decoded in this process, without the limits on time and memory that the job sets: take files you trust.

        >>> import numpy as np
        >>> autochrome.colorize(np.full((200, 300), 128, np.uint8)).shape
        (200, 300, 3)

    Args:
        photo: pixels, or the path of a photo, local or in a bucket. Pixels are uint8 or uint16, ``[H, W]`` or
            ``[H, W, 3]``, sRGB and upright. A file may have any format that the job reads; of several pages the first
            is taken. It is turned upright and converted to sRGB.
        model: the SavedModel folder, local or gs://, ``released``, ``released_2`` or ``released_1``.
        borders: ``ignore`` leaves the margin around a picture grey; ``keep`` colours the whole frame.
        saturation: factor of the model's chroma, from 0 to 4; luminance and hue stay.
        color_space: of the result: ``srgb``, ``adobe_rgb``, ``display_p3`` or ``ecirgb_v2``.
        hints: colours that places of the photo have: a hint file, local or in a bucket; points, such as
            ``[{"x": 0.5, "y": 0.3, "radius": 0.02, "color": "#2040a0"}]`` in shares of the photo; or pixels, uint8
            ``[h, w, 4]`` of a layer that is opaque where colours are given, or ``[h, w, 3]`` of a painted copy.
        hint_reach: how far hints reach, as a share of the photo's longer side, from 0 to 1; None for what suits the
            model.

    Returns:
        uint8 or uint16 ``[H, W, 3]``, codes of that space: the depth of the pixels, or of the file. The lightness L* is
        that of the photo to within rounding.

    Raises:
        UserError: there is no such file, it is not a photo or is broken or too large; the hints are broken; or the
            model is missing, is not one of Autochrome's, or cannot be loaded.
        ValueError: pixels have another shape or type, ``borders`` or ``color_space`` is unknown, or a number
            is out of range.
    """
    pixels = _read(os.fspath(photo)) if isinstance(photo, (str, os.PathLike)) else photo
    given = None if hints is None else _hints(hints, pixels)
    return _kept(model).colorize(
        pixels, borders, saturation=saturation, color_space=color_space, hints=given, hint_reach=hint_reach
    )


def load_model(path: str = "released") -> Colorizer:
    """Load a model; its method ``colorize(pixels)`` colorizes arrays.

    Args:
        path: a SavedModel folder that ``autochrome train`` wrote, local or gs://, or ``released`` for the model that
            ships with this package.

    Raises:
        UserError: the folder is missing, is not one of Autochrome's, or cannot be loaded.
    """
    from model.colorizer import Colorizer

    return Colorizer.load(path)


@lru_cache(maxsize=1)
def _kept(model: str) -> Colorizer:
    return load_model(model)


def _read(path: str) -> Pixels:
    """Return the upright sRGB pixels of a photo's first page, in its own depth."""
    from pipelines.errors import Rejected
    from pipelines.images import pages

    try:
        return next(pages.read(_bytes(path))).pixels
    except Rejected as verdict:
        raise UserError(f"{path} cannot be colorized: {verdict.reason}: {verdict.detail}") from verdict


def _hints(given: Bytes | str | os.PathLike[str] | Sequence[Mapping[str, object]], photo: Pixels) -> Hints:
    """Return hints for a photo from whatever says what they are."""
    from model.guidance import hints
    from pipelines.errors import Rejected
    from pipelines.guidance import reading

    if isinstance(given, (str, os.PathLike)):
        data = _bytes(os.fspath(given))
    elif isinstance(given, Sequence):
        data = json.dumps(list(given)).encode()
    else:
        if given.dtype != "uint8" or given.ndim != 3 or given.shape[2] not in (3, 4):
            raise ValueError(f"hints must be uint8 [h, w, 3] or [h, w, 4], and are {given.dtype} {list(given.shape)}")
        return hints.of_layer(given) if given.shape[2] == 4 else hints.of_copy(given, photo)
    try:
        found = reading.read(data, photo)
    except Rejected as verdict:
        detail = verdict.detail.removeprefix("its hint file cannot be used: ")
        raise UserError(f"the hints cannot be used: {detail}") from verdict
    if found is None:
        raise UserError("the hints cannot be used: they are for other pages than the first")
    return found


def _bytes(path: str) -> bytes:
    if not is_remote(path):
        try:
            return Path(path).read_bytes()
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or error
            raise UserError(f"{path} cannot be read: {cause}") from error
    from pipelines.files import storage

    try:
        return storage.read(path)
    except storage.io_errors() as error:
        raise UserError(f"{path} cannot be read: {error}") from error
