"""`WriteRejected`: list the photos that `prepare` left out, in shards if there are many.

RECORDS/rejected.jsonl                    one line each
RECORDS/rejected-00000-of-00012.jsonl     the same if there are more than 100,000; a hash of the name chooses the
                                          shard
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from pipelines.dataset import rejected_lists
from pipelines.dataset.shard_writer import ShardReport
from pipelines.files import storage
from pipelines.files.hashes import stable_hash
from pipelines.runtime import outcomes
from pipelines.runtime.outcomes import REJECTED_FILE, Outcome, to_jsonl

_IN_A_SHARD = 10_000


@dataclass(eq=False)
class WriteRejected(beam.PTransform):
    """PCollection of ShardReport → a single dict: the number of rejected photos by reason, after they are listed.

    No worker has a list of all of them, unless they are few.

    Attributes:
        output: the folder.
        waits_for: AsSingleton of what is missing from the set; if anything is, nothing is listed and old lists stay.
    """

    output: str
    waits_for: AsSingleton | None = None

    def expand(self, finished: beam.PCollection[ShardReport]) -> beam.PCollection[dict[str, int]]:
        """Build the graph."""
        rejected = finished | "Rejected" >> beam.FlatMap(lambda report: report.rejected)
        counts = (
            rejected
            | "Reasons" >> beam.Map(lambda outcome: outcome.key)
            | "Of each reason" >> beam.combiners.Count.PerElement()
            | "Counts" >> beam.combiners.ToDict()
        )
        shards = AsSingleton(counts | "Shards" >> beam.Map(shard_count))
        written = (
            rejected
            | "Place rejected" >> beam.Map(_placed, shards)
            | "Group rejected" >> beam.GroupByKey()
            | "Write rejected" >> beam.Map(self._write, shards)
        )
        missing = () if self.waits_for is None else (self.waits_for,)
        return counts | "Old lists" >> beam.Map(self._finish, AsList(written), *missing)

    def _write(self, placed: tuple[int, Iterable[Outcome]], shards: int) -> str:
        index, rejected = placed
        name = f"rejected-{index:05d}-of-{shards:05d}.jsonl" if shards else REJECTED_FILE
        storage.write_in(self.output, name, to_jsonl(rejected))
        return name

    def _finish(self, counts: dict[str, int], written: list[str], missing: Sequence[object] = ()) -> dict[str, int]:
        if missing:
            return counts
        if not written:
            written = [self._write((0, ()), 0)]
        storage.remove(
            [storage.join(self.output, name) for name in rejected_lists.lists(self.output) if name not in written]
        )
        return counts


def shard_count(counts: dict[str, int]) -> int:
    """Return the number of shards for rejected photos, given their number by reason; 0 for a single list."""
    rejected = sum(counts.values())
    return ceil(rejected / _IN_A_SHARD) if rejected > outcomes.REJECTED_IN_ONE_FILE else 0


def _placed(outcome: Outcome, shards: int) -> tuple[int, Outcome]:
    return int.from_bytes(stable_hash(outcome.name, "rejected")) % shards if shards else 0, outcome
