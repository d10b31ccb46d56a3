"""What every document of a delivery says about how the photos of a run were made."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.archive.manifest import Output, Record
from pipelines.guidance.reading import BAD_HINT
from pipelines.images.source_types import COMPOSITE

# Control characters as well, which XML 1.0 has or discourages; all spaces and marks of direction stay.
_NOT_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
NOTE = "The colours were made by a machine, and are not those of the scene."


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known about the runs of a folder.

    Attributes:
        source_types: the digital source type of files, by the digest of the settings that made them.
        url: where the folder of the bags will be on the web, without a slash at its end; '' if it is not known.
    """

    source_types: Mapping[str, str]
    url: str = ""

    @classmethod
    def of(cls, runs: Iterable[dict[str, Any]], url: str = "") -> "Told":
        """Return what runs say, those of partitions as well, as `pipelines.archive.run_list.known` gives them."""
        types = {}
        for run in runs:
            settings = run.get("settings") or {}
            types[str(run.get("settings_digest", ""))] = str(settings.get("digital_source_type") or COMPOSITE)
        return cls(source_types=types, url=url.rstrip("/"))

    def source_type(self, settings_digest: str) -> str:
        """Return the digital source type of files that settings with a digest made."""
        return self.source_types.get(settings_digest, COMPOSITE)


def written_at(output: Output) -> str:
    """Return when a file was written, as ISO 8601 to the second, from its fingerprint; '' if that does not say it."""
    try:
        number = int(output.fingerprint.rpartition("-")[2])
        # Nanoseconds of a local file's last change, or microseconds as the generation of an object.
        seconds = number / 1e9 if number > 10**17 else number / 1e6
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if number > 10**14 else ""
    except (ValueError, OverflowError, OSError):
        return ""


def guided_by(record: Record) -> list[str]:
    """Return what guided the colours of a photo, sorted; hints that could not be used are not among it."""
    if record.status == "copied":
        return []
    return sorted(record.guided.keys() - ({"hints"} if BAD_HINT in record.warnings else set()))


def printable(text: str) -> str:
    """Return a text in which bytes that are not UTF-8, and characters that XML has no place for, are replaced."""
    return _NOT_IN_XML.sub("\ufffd", text)
