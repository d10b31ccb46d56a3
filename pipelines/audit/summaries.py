"""Compare the files that summarise the records of a folder with the records, so that none is lost or added unseen.

    manifest/shards.json        names every shard, and no other
    manifest/timings-*.jsonl    one for each shard
    manifest/runs.json          has every run that a record names
    manifest/last_run.json      is there
    report.json                 counts the records
    rejected.jsonl              names the rejected photos, and no other; or manifest/rejected-*.jsonl does
    manifest/partitions/        has all partitions

While a run is writing, or after it was killed, these files may be older than the records. They are then not compared,
and a check says that the run is not done.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipelines.archive import manifest, partitions, record_files, run_list
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import FOLDER, JOURNAL, JSON_LINES, LAST_RUN_FILE, REPORT_FILE, RUNS_FILE, Record
from pipelines.archive.record_files import INDEX_FILE, Damage
from pipelines.audit import checks
from pipelines.audit.checks import Check, Verdict
from pipelines.files import storage
from pipelines.files.hashes import stable_hash
from pipelines.runtime.outcomes import REJECTED_FILE
from tfrecords.errors import UserError
from tfrecords.words import counted

_UNFINISHED = "is of a run that is not done or was killed; the same `autochrome colorize` continues it"
_MODULUS = 1 << 64


class Totals:
    """What the summaries of a folder must say about its records.

    Attributes:
        outcomes: number of records by outcome.
        rejected: sum of the digests of the rejected photos, in any order.
        runs: the highest number of a run that a record names.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.rejected = 0
        self.runs = 0

    def add(self, record: Record) -> None:
        """Add one record."""
        self.outcomes[record.key] += 1
        self.runs = max(self.runs, record.run)
        if record.status == "rejected":
            self.rejected = (self.rejected + _digest(record.name, record.reason, record.detail)) % _MODULUS


def read(ledger: Ledger) -> Iterator[Record | Check]:
    """Yield every record of a folder, then a check for each file of the manifest that is damaged, lost or not recorded.

    Raises:
        storage.io_errors, WorldError: a file cannot be read.
    """
    damaged: list[Damage] = []
    totals = Totals()
    for record in ledger.records(damaged.append):
        totals.add(record)
        yield record
    yield from (checks.of_damage(damage, ledger.state) for damage in damaged)
    parts = ledger.partitions or (ledger,)
    for part in parts:
        if part.journals:
            place = part.state.removeprefix(ledger.state).strip("/")
            yield _check(ledger.state, f"{place}/{JOURNAL}".lstrip("/"), _UNFINISHED, "missing")
        else:
            yield from _of_files(part, ledger.state)
    if lacking := partitions.lacking(ledger.state):
        yield _check(ledger.state, partitions.PARTITIONS, lacking, "missing")
    if not ledger.journals and all(damage.what == record_files.UNNAMED_FILE for damage in damaged):
        yield from _of_totals(ledger, parts, totals)


def _check(folder: str, name: str, what: str, verdict: Verdict = "changed") -> Check:
    return Check(kind="records", name=f"{name} {what}", uri=storage.join(folder, name), verdict=verdict)


def _missing(folder: str, name: str) -> Check:
    return _check(folder, name, record_files.LOST_FILE, "missing")


def _of_files(part: Ledger, folder: str) -> Iterator[Check]:
    """Yield a check of each file of one manifest that is missing or damaged."""
    place = part.state.removeprefix(folder).strip("/")
    prefix = f"{place}/" if place else ""
    shards = [f"{FOLDER}/{uri.rpartition('/')[2]}" for uri in part.shards]
    if not shards and not record_files.is_complete(part.state):
        yield _check(folder, place, "has no records", "missing")
        return
    there = {f"{FOLDER}/{name}" for name in storage.names(storage.join(part.state, FOLDER))}
    index = record_files.read_index(part.state).shards
    timings = [
        shard.replace("photos", "timings", 1).removesuffix(manifest.format_of(shard)) + JSON_LINES
        for shard in shards
        if not index or shard in index
    ]
    for name in (INDEX_FILE, RUNS_FILE, LAST_RUN_FILE, *timings):
        if name not in there:
            yield _missing(folder, prefix + name)
    is_empty = not shards and record_files.is_complete(part.state)
    if INDEX_FILE in there and not index and not is_empty:
        yield _check(folder, prefix + INDEX_FILE, "is damaged")


def _of_totals(ledger: Ledger, parts: Sequence[Ledger], totals: Totals) -> Iterator[Check]:
    """Yield a check of each summary that says something else than the records."""
    inside = f"{partitions.PARTITIONS}/*/" if ledger.partitions else ""
    outcomes: Counter[str] = Counter()
    rejected = runs = 0
    complete = {REPORT_FILE, REJECTED_FILE, RUNS_FILE}
    for part in parts:
        place = part.state.removeprefix(ledger.state).strip("/")
        prefix = f"{place}/" if place else ""
        report = storage.read_if_there(storage.join(part.state, REPORT_FILE))
        lists = _lists(part.state)
        said = _outcomes(report)
        if report is None or said is None:
            complete.discard(REPORT_FILE)
            name = prefix + REPORT_FILE
            yield _missing(ledger.state, name) if report is None else _check(ledger.state, name, "is damaged")
        outcomes += said or Counter()
        if not lists:
            complete.discard(REJECTED_FILE)
            yield _missing(ledger.state, prefix + REJECTED_FILE)
        rejected = (rejected + _sum(lists)) % _MODULUS
        try:
            runs = max(runs, len(run_list.known(part.state)))
        except UserError:
            complete.discard(RUNS_FILE)
    if REPORT_FILE in complete and outcomes != totals.outcomes:
        photos = counted(outcomes.total(), "photo")
        what = f"counts {photos} with a record, and there are {totals.outcomes.total():,}"
        if outcomes.total() == totals.outcomes.total():
            what = "counts other outcomes than the records have"
        yield _check(ledger.state, inside + REPORT_FILE, what)
    if REJECTED_FILE in complete and rejected != totals.rejected:
        yield _check(ledger.state, inside + REJECTED_FILE, "lists other photos than the records")
    if RUNS_FILE in complete and 0 < runs < totals.runs:
        yield _check(ledger.state, inside + RUNS_FILE, f"lacks run {totals.runs}, which a record names")


def _outcomes(report: bytes | None) -> Counter[str] | None:
    """Return the number of records by outcome that a report states; None if it states none."""
    try:
        told: dict[str, Any] = json.loads(report or b"{}")["outcomes"]
        return Counter({key: int(number) for key, number in told.items() if key != "ignored"})
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _lists(folder: str) -> list[str]:
    """Return the URIs of the lists of rejected photos."""
    whole = storage.join(folder, REJECTED_FILE)
    if storage.size(whole) >= 0:
        return [whole]
    inside = storage.join(folder, FOLDER)
    return [storage.join(inside, name) for name in storage.names(inside) if manifest.is_rejected_shard(name)]


def _sum(lists: Iterable[str]) -> int:
    total = 0
    for uri in lists:
        with storage.opened(uri) as file:
            total += sum(map(_listed, file))
    return total % _MODULUS


def _listed(line: bytes) -> int:
    try:
        fields = json.loads(line)
        return _digest(fields["name"], fields["reason"], fields["detail"])
    except (ValueError, LookupError, TypeError):
        return 1  # so that the sum differs


def _digest(*told: str) -> int:
    return int.from_bytes(stable_hash(json.dumps(told)))
