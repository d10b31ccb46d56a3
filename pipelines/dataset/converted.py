"""The result of converting one photo, as the process that opens photos tells it to the one that writes records."""

from dataclasses import dataclass, field
from hashlib import blake2b

from tfrecords.statistics import Statistics

HANDLER = "pipelines.dataset.examples:convert"
"""What child processes run. The process that writes records need not import it: that would take 0.2 seconds."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """The result for one photo.

    Attributes:
        record: of the example, serialized; empty if the photo is rejected.
        statistics: of the example; None if the photo is rejected.
        reason: code of the rejection, else ''.
        detail: of the rejection, as a readable message, else ''.
        milliseconds: by stage.
        digest: of the photo's bytes, hex; '' if they were never seen.
    """

    record: bytes = b""
    statistics: Statistics | None = None
    reason: str = ""
    detail: str = ""
    digest: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)


def digest_of(data: bytes) -> str:
    """Return the digest by which the bytes of a photo are known again, hex."""
    return blake2b(data, digest_size=16).hexdigest()
