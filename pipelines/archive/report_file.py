"""``report.json``: how many inputs of a folder have which outcome, and which warnings."""

import json
from collections.abc import Iterable
from typing import Any

from pipelines.archive.manifest import Record
from pipelines.images.exif import LEFT_OUT


def warning_codes(record: Record) -> set[str]:
    """Return the codes under which the warnings of a record are counted; warnings in text have one as well.

    Those that name what was left out have none: they explain a code.
    """
    return {
        one if " " not in one else "renamed" if one.startswith("written as ") else "left_over"
        for one in record.warnings
        if not one.startswith(LEFT_OUT)
    }


def summary(
    records: Iterable[tuple[str, int]], made_with: dict[str, Any], warnings: Iterable[tuple[str, int]] = ()
) -> bytes:
    """Return the bytes of ``report.json``.

    Args:
        records: number of inputs by outcome.
        made_with: model and settings of the folder.
        warnings: number of inputs by code of a warning; in the report only if there are any.
    """
    counts = dict(sorted(records))
    report = {**made_with, "inputs": sum(counts.values()), "outcomes": counts}
    if warned := dict(sorted(warnings)):
        report["warnings"] = warned
    return (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()
