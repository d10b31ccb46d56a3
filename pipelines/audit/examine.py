"""Look for what a file says about its making, in a child process, because anybody's files may be broken.

This module imports neither Beam nor TensorFlow, see `pipelines.runtime.photo_server`.
"""

from dataclasses import asdict, dataclass
from typing import Any

from model.watermark_detector import Finding, find
from pipelines.images import credentials, pages, samples, stated
from pipelines.images.credentials import Signature
from pipelines.images.source_types import BY_MACHINE
from pipelines.images.stated import Statement
from pipelines.runtime.photo_server import Parent


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What a file says about its making.

    Attributes:
        metadata: the first statement of a page in XMP; None if no page has one.
        signature: what its Content Credentials say, and whether they are valid.
        watermarks: what was found in each page.
    """

    metadata: Statement | None
    signature: Signature
    watermarks: tuple[Finding, ...]

    @property
    def is_marked(self) -> bool:
        """Whether anything says that a machine made or changed the picture; credentials do if they are valid."""
        says_so = not set(BY_MACHINE).isdisjoint(self.signature.digital_source_types)
        is_signed = self.signature.status == "valid" and says_so
        return self.metadata is not None or is_signed or any(one.detected for one in self.watermarks)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "metadata": None if self.metadata is None else asdict(self.metadata),
            "signature": asdict(self.signature),
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
        "searched": finding.searched,
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
    metadata, signature = None, credentials.NONE
    watermarks: list[Finding] = []
    for page in pages.read(data):
        metadata = metadata or stated.read(page.metadata.xmp)
        if not watermarks:
            signature = credentials.read(data, page.format)
        watermarks.append(find(samples.to_bytes(page.pixels), cropped=cropped))
    return Examined(metadata=metadata, signature=signature, watermarks=tuple(watermarks))
