"""Read reference photos, whose colours other photos get."""

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from model import borders
from model.guidance import matching, reference
from model.guidance.reference import Reference
from pipelines.errors import Rejected
from pipelines.files import faults, listings, sidecars, sources, storage
from pipelines.files.listings import Branch
from pipelines.files.sources import Source
from pipelines.images import pages, photo_area, samples
from tfrecords.color import Bytes, srgb_to_lab
from tfrecords.errors import UserError

MOST = 20
"""The number of photos that a folder of references may have."""
_GREY = ("grayscale", "near_gray")
_ONE_HUE = 0.9
"""Length of the mean of a and b, over the mean of their lengths, from which a picture has one hue."""


@dataclass(frozen=True, kw_only=True)
class ReferenceFile:
    """A reference that was read.

    Attributes:
        name: of the file, relative to the folder of references.
        sha256: of the file.
        picture: the photo squeezed to a square of `model.guidance.matching.SIDE` pixels, as PNG.
    """

    name: str
    sha256: str
    picture: bytes

    def opened(self) -> Reference:
        """Return the reference itself."""
        return _opened(self.picture)


@functools.lru_cache(maxsize=MOST)
def _opened(picture: bytes) -> Reference:
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return reference.of(np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8))


@dataclass(frozen=True, kw_only=True)
class References:
    """All references of a file or folder.

    Attributes:
        name: of the file or folder.
        sha256: of the file; of a folder, of the names and digests of its files.
        files: in the order of their names.
    """

    name: str
    sha256: str
    files: tuple[ReferenceFile, ...]


def load(path: str) -> References:
    """Return the references in a file or folder, local or gs://, in the order of their names.

    Raises:
        UserError: there are none or too many, or one is broken.
        WorldError: the disk or the bucket fails.
    """
    try:
        found = sorted(
            (file for branch in listings.of_input(path) for file in _files(branch, path)),
            key=lambda file: file.name,
        )
        if not 1 <= len(found) <= MOST:
            raise UserError(f"reference {path} has {len(found):,} files; name a photo, or a folder of up to {MOST}")
        files = tuple(_read(file.name, storage.read(file.uri)) for file in found)
    except storage.io_errors() as error:
        raise UserError(f"reference {path} cannot be read: {faults.cause(error)}") from error
    told = json.dumps([[file.name, file.sha256] for file in files]).encode()
    digest = files[0].sha256 if listings.is_file(path) else hashlib.sha256(told).hexdigest()
    return References(name=path.rstrip("/").rpartition("/")[2], sha256=digest, files=files)


def _files(branch: Branch, path: str) -> Iterator[Source]:
    found = sources.files(branch, listings.root_of(path))
    return (file for file in found if not sidecars.is_sidecar(file.name) or file.uri == path)


def _read(name: str, data: bytes) -> ReferenceFile:
    try:
        page = next(pages.read(data))
    except Rejected as verdict:
        raise UserError(f"reference {name} cannot be used: {verdict.reason}: {verdict.detail}") from verdict
    pixels = samples.to_bytes(page.pixels)
    tone = "grayscale" if pixels.ndim == 2 else photo_area.judge(pixels, page.chroma_step, borders.find).reason
    if tone in _GREY:
        raise UserError(f"reference {name} cannot be used: it is grey; name photos in colour")
    small = cv2.resize(pixels, (matching.SIDE, matching.SIDE), interpolation=cv2.INTER_AREA)
    if tone == "toned" and _has_one_hue(small):
        raise UserError(f"reference {name} cannot be used: it has one hue, as a toned print has; name photos in colour")
    picture = cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1].tobytes()
    return ReferenceFile(name=name, sha256=hashlib.sha256(data).hexdigest(), picture=picture)


def _has_one_hue(pixels: Bytes) -> bool:
    """Return whether chroma points in one direction; in flat colours it follows luma as well, and need not do so."""
    chroma = srgb_to_lab(pixels)[..., 1:]
    return bool(np.hypot(*chroma.mean((0, 1))) >= _ONE_HUE * np.hypot(chroma[..., 0], chroma[..., 1]).mean())
