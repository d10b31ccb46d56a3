"""Write the shards of a manifest: records as JSON Lines or Parquet, and next to them times and rejected inputs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.archive import parquet_records
from pipelines.archive.manifest import FOLDER, JSON_LINES, PARQUET, Record, to_lines
from pipelines.archive.merging import place_of
from pipelines.files import storage
from pipelines.runtime.outcomes import to_jsonl


@dataclass(frozen=True, kw_only=True)
class ManifestWriter:
    """Writes shards into a folder.

    Attributes:
        output: the folder of the manifest.
        shards: their number.
        format: of the records, one of `manifest.FORMATS`.
        rejected: whether to list the rejected inputs next to them as well.
    """

    output: str
    shards: int
    format: str = JSON_LINES
    rejected: bool = False

    def write(self, index: int, records: Iterable[Record]) -> tuple[str, bytes]:
        """Write the records of one shard, and their times next to it.

        Returns:
            the shard's path relative to the output, and its bytes.
        """
        ordered = sorted(records, key=place_of)
        part = f"{index:05d}-of-{self.shards:05d}"
        times = (json.dumps(_times(record), ensure_ascii=False) for record in ordered)
        storage.write_in(self.output, f"{FOLDER}/timings-{part}.jsonl", to_lines(times))
        if self.rejected:
            outcomes = (record.outcome() for record in ordered if record.status == "rejected")
            storage.write_in(self.output, f"{FOLDER}/rejected-{part}.jsonl", to_jsonl(outcomes))
        name = f"{FOLDER}/photos-{part}.{self.format}"
        if self.format == PARQUET:
            data = parquet_records.to_parquet(ordered)
        else:
            data = to_lines(record.to_json() for record in ordered)
        storage.write_in(self.output, name, data)
        return name, data


def _times(record: Record) -> dict[str, Any]:
    fingerprints = [output.fingerprint for output in record.outputs]
    return {"name": record.name, "milliseconds": record.milliseconds, "outputs": fingerprints}
