"""One line for each colour photo, as CSV for digital asset management."""

import csv
import io
from collections.abc import Iterable, Iterator

from pipelines.delivery.bags import Item
from pipelines.delivery.told import NOTE, Told, guided_by, printable, written_at

COLUMNS = (
    *("file", "sha256", "bytes", "width", "height", "created", "scan", "scan_sha256", "scan_bytes", "status"),
    *("software", "model", "model_digest", "settings_digest", "digital_source_type", "guided", "warnings", "note"),
)


def document(items: Iterable[Item], told: Told) -> bytes:
    """Return the table of a bag: UTF-8, with a header; files by their paths in the bag, scans by their names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for item in items:
        writer.writerows(_rows(item, told))
    return text.getvalue().encode()


def _rows(item: Item, told: Told) -> Iterator[dict[str, object]]:
    record = item.record
    for output in item.outputs:
        is_made = bool(record.model_digest) and output.sha256 != record.sha256
        yield {
            "file": item.files[output.name].path,
            "sha256": output.sha256,
            "bytes": output.bytes,
            "width": "" if output.was_changed else output.width,  # the record has the size of the file that was made
            "height": "" if output.was_changed else output.height + output.label,
            "created": written_at(output),
            "scan": printable(record.name),
            "scan_sha256": record.sha256,
            "scan_bytes": record.bytes,
            "status": record.status,
            "software": "Autochrome" if is_made else "",
            "model": record.model,
            "model_digest": record.model_digest,
            "settings_digest": record.settings_digest,
            "digital_source_type": told.source_type(record.settings_digest) if is_made else "",
            "guided": " ".join(guided_by(record)),
            "warnings": printable("; ".join(record.warnings)),
            "note": NOTE if is_made else "",
        }
