"""Look for what a file says about its making, in a child process, because anybody's files may be broken.

This module imports neither Beam nor TensorFlow, see `pipelines.runtime.photo_server`.
"""

from dataclasses import asdict, dataclass
from typing import Any

from model.watermark_detector import Finding, find
from pipelines.images import pages, samples, stated
from pipelines.images.stated import Statement
from pipelines.runtime.photo_server import Parent

_MANIFEST = (b"jumb", b"c2pa")


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What a file says about its making.

    Attributes:
        metadata: the first statement of a page in XMP; None if no page has one.
        has_manifest: whether the file has a C2PA manifest; its signature is not checked.
        watermarks: what was found in each page.
    """

    metadata: Statement | None
    has_manifest: bool
    watermarks: tuple[Finding, ...]

    @property
    def is_marked(self) -> bool:
        """Whether anything says that a machine made or changed the picture."""
        return self.metadata is not None or self.has_manifest or any(one.detected for one in self.watermarks)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "metadata": None if self.metadata is None else asdict(self.metadata),
            "signature": "present, not checked" if self.has_manifest else "none",
            "watermark": [_fields(page, one) for page, one in enumerate(self.watermarks, start=1)],
        }


def _fields(page: int, finding: Finding) -> dict[str, Any]:
    said = finding.payload if finding.detected else None
    return {
        "page": page,
        "detected": finding.detected,
        "confidence": round(1 - finding.false_alarm, 6),
        "false_alarm": float(f"{finding.false_alarm:.3g}"),
        "z": finding.z,
        "part": finding.part,
        "model_digest": said.model if said else "",
        "settings_digest": said.settings if said else "",
    }


def examine(parent: Parent, data: bytes, cropped: bool) -> Examined:
    """Examine a file.

    Args:
        parent: not used.
        data: the bytes of the file.
        cropped: whether to look for watermarks of photos of which this is a part.

    Raises:
        Rejected: it is not a photo, or is broken or too large.
    """
    del parent
    metadata, watermarks = None, []
    for page in pages.read(data):
        metadata = metadata or stated.read(page.metadata.xmp)
        watermarks.append(find(samples.to_bytes(page.pixels), cropped=cropped))
    has_manifest = all(mark in data for mark in _MANIFEST)
    return Examined(metadata=metadata, has_manifest=has_manifest, watermarks=tuple(watermarks))
