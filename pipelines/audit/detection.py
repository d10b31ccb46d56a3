"""Detect the marks of one file: read it, examine it in a child process, and keep the result as one record."""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from model.watermark_code import DIGITS
from pipelines.audit.examine import Examined
from pipelines.errors import Rejected, Undecided
from pipelines.files.sources import Source
from pipelines.images.credentials import Signature
from pipelines.images.memory import out_of_memory
from pipelines.runtime.photo_process import PhotoProcesses

Status = Literal["marked", "unmarked", "rejected"]
STATUSES: tuple[Status, ...] = ("marked", "unmarked", "rejected")


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The result for one file.

    Attributes:
        name: path relative to the input.
        uri: of the file, or of the tar that contains it.
        status: ``marked`` if anything says that a machine made or changed it.
        reason: code of a rejection, else ''.
        detail: of a rejection, as a readable message, else ''.
        examined: what it says; None if it was rejected.
    """

    name: str
    uri: str
    status: Status
    reason: str = ""
    detail: str = ""
    examined: Examined | None = None

    def to_json(self) -> str:
        """Return one line without its line break."""
        fields: dict[str, Any] = {"name": self.name, "uri": self.uri, "status": self.status}
        fields |= {"reason": self.reason, "detail": self.detail}
        return json.dumps(fields | (self.examined.to_dict() if self.examined else {}))

    def __str__(self) -> str:
        """Return what was found, in words."""
        if self.examined is None:
            return f"{self.name}: {self.reason}: {self.detail}"
        said = [_watermark(self.examined), _metadata(self.examined), _signature(self.examined.signature)]
        return f"{self.name}: {'; '.join(part for part in said if part)}"


_NONE_IN = {
    "nothing": "no watermark (a picture without colours has none)",
    "whole": "no watermark (searched: whole pictures, turned and mirrored)",
    "parts": "no watermark (searched: whole pictures, turned and mirrored; parts of half the longer side or more)",
}


def _watermark(examined: Examined) -> str:
    found = [one for one in examined.watermarks if one.detected]
    if not found:
        return _NONE_IN[max((one.searched for one in examined.watermarks), key=list(_NONE_IN).index)]
    best = min(found, key=lambda one: one.false_alarm)
    said = "watermark, content not readable"
    if best.payload is not None:
        said = f"watermark of model {best.payload.model}, settings {best.payload.settings}"
    part = "" if best.part == 1 else f", {best.part:.0%} of the photo's longer side"
    return f"{said} (false alarm below {max(best.false_alarm, 1e-99):.0e}{part})"


def _metadata(examined: Examined) -> str:
    said = "no mark in XMP"
    if examined.metadata is not None:
        term = examined.metadata.digital_source_type.rpartition("/")[2]
        by = f", {examined.metadata.software}" if examined.metadata.software else ""
        digest = examined.metadata.model_digest[:DIGITS]
        model = f", model {examined.metadata.model} ({digest})" if digest else ""
        said = f"XMP says {term}{by}{model}"
    return said


def _signature(signature: Signature) -> str:
    if signature.status in ("none", "unchecked"):
        return "Content Credentials, not checked: they need autochrome[sign]" if signature.status == "unchecked" else ""
    if signature.status == "invalid":
        return f"Content Credentials NOT VALID ({', '.join(signature.faults)})"
    terms = ", ".join(one.rpartition("/")[2] for one in signature.digital_source_types) or "no source type"
    signer = ", ".join(part for part in (signature.signer, signature.issuer) if part)
    stamped = f", time stamp {signature.stamped}" if signature.stamped else ""
    return f"valid Content Credentials say {terms}, signed by {signer} with {signature.software}{stamped}"


def detect(source: Source, processes: PhotoProcesses, *, cropped: bool, last: bool = False) -> Detection:
    """Detect the marks of a file.

    Args:
        source: the file.
        processes: child processes; their handler is `pipelines.audit.examine.examine`.
        cropped: whether to look for watermarks of photos of which this is a part.
        last: whether this is the last attempt.

    Raises:
        Undecided: the process of the file died or ran out of memory, and this is not the last attempt.
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    unread = Detection(name=source.name, uri=source.uri, status="rejected")
    try:
        examined: Examined = processes.call(source.read(), cropped, alone=last)
    except Rejected as verdict:
        return replace(unread, reason=verdict.reason, detail=verdict.detail)
    except Undecided as undecided:
        if not last:
            raise
        return replace(unread, reason=undecided.reason, detail=undecided.detail)
    except Exception as error:
        if not last or not out_of_memory(error):
            raise
        return replace(unread, reason="out_of_memory", detail="it needs more memory than this machine has")
    return replace(unread, status="marked" if examined.is_marked else "unmarked", examined=examined)
