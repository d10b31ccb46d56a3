"""`WriteLines`: write one JSON line for each item into shards, sorted, and the number of items by status."""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from pipelines.archive import manifest
from pipelines.files import storage


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is written about one item: its name, for the order; a key that it is counted under; its JSON."""

    name: str
    key: str
    json: str


@dataclass(eq=False)
class WriteLines(beam.PTransform):
    """Write lines: PCollection of `Line` → a single dict, the number of items by key, when all is written.

    The files are ``{kind}-00000-of-00004.jsonl`` and ``{kind}.json`` with the numbers. Equal lines give equal files,
    whatever the number of workers. Shards of an earlier job in the folder are removed.

    Attributes:
        folder: for the files, local or in a bucket.
        kind: beginning of their names.
    """

    folder: str
    kind: str

    def expand(self, lines: beam.PCollection[Line]) -> beam.PCollection[dict[str, int]]:
        """Build the graph."""
        number = lines | "Number" >> beam.combiners.Count.Globally() | beam.Map(manifest.shard_count)
        written = (
            lines
            | "Bytes" >> beam.Map(lambda line: (os.fsencode(line.name), manifest.to_lines([line.json])))
            | "Shard" >> beam.Map(_placed, AsSingleton(number))
            | "Group" >> beam.GroupByKey()
            | "Write" >> beam.Map(self._write, AsSingleton(number))
        )
        counts = lines | "Keys" >> beam.Map(lambda line: line.key) | beam.combiners.Count.PerElement()
        return (
            lines.pipeline
            | "End" >> beam.Create([None])
            | "Sum" >> beam.Map(self._sum, AsList(counts), AsList(written))
        )

    def _write(self, shard: tuple[int, Iterable[bytes]], shards: int) -> str:
        index, lines = shard
        name = f"{self.kind}-{index:05d}-of-{shards:05d}.jsonl"
        storage.write_in(self.folder, name, b"".join(sorted(lines)))
        return name

    def _sum(self, _: None, counts: list[tuple[str, int]], written: list[str]) -> dict[str, int]:
        told = dict(sorted(counts))
        self._remove_others(written)
        summary = json.dumps({"counts": told, "files": sorted(written)}, indent=2) + "\n"
        storage.write_in(self.folder, f"{self.kind}.json", summary.encode())
        return told

    def _remove_others(self, written: list[str]) -> None:
        """Remove the shards of an earlier job that had more lines, or fewer."""
        shard = re.compile(rf"{self.kind}-\d{{5,}}-of-\d{{5,}}\.jsonl")
        others = [name for name in storage.names(self.folder) if shard.fullmatch(name) and name not in written]
        storage.remove([storage.join(self.folder, name) for name in others])


def _placed(line: tuple[bytes, bytes], shards: int) -> tuple[int, bytes]:
    name, data = line
    return manifest.shard_of(os.fsdecode(name), shards), data
