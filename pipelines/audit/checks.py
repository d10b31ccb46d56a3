"""Compare a colorized folder with its records: each file, and if asked each source, is hashed again."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from model import saved_model
from pipelines.archive import partitions, provenance, run_list
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import RUNS_FILE, Output, Record
from pipelines.archive.record_files import LOST_FILE, UNNAMED_FILE, Damage
from pipelines.errors import Rejected
from pipelines.files import contents, storage
from pipelines.files.sources import Source
from pipelines.runtime.partition import WHOLE
from tfrecords.errors import UserError

Kind = Literal["file", "source", "model", "settings", "records"]
Verdict = Literal["same", "changed", "missing", "unreadable", "unrecorded", "unsigned"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result for one thing that was hashed.

    Attributes:
        kind: what it is.
        name: of the file relative to the output, of the source relative to the input, or of what else it is.
        uri: where it was looked for.
        verdict: whether it is as recorded; ``unsigned`` if it only lacks its signature, ``unrecorded`` if no record
            names this file, or no list this file of records.
        recorded: its digest in the records.
        found: its digest now; '' if there is none.
    """

    kind: Kind
    name: str
    uri: str
    verdict: Verdict
    recorded: str = ""
    found: str = ""

    @property
    def key(self) -> str:
        """The name that it is counted under."""
        return f"{self.kind} {self.verdict}"

    def to_json(self) -> str:
        """Return one line without its line break."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        """Return the result in words."""
        if self.kind == "records":
            return f"records {self.name}"
        more = (
            f": recorded {self.recorded[:12]}, now {self.found[:12]}"
            if self.verdict == "changed" and self.found
            else ""
        )
        return f"{self.kind} {self.name} {self.verdict}{more}"


def of_record(record: Record, folder: str, *, sources: bool) -> Iterator[Check]:
    """Yield a check of each file of a record, and with ``sources`` of its source.

    Args:
        record: of one input.
        folder: the output of `autochrome colorize`.
        sources: whether sources are hashed as well.

    Raises:
        WorldError: the disk or the bucket fails.
    """
    for output in {output.name: output for output in record.outputs}.values():
        yield _of_file(output, storage.join(folder, output.name))
    if sources and record.sha256:
        yield _of_source(record)


def _of_file(output: Output, uri: str) -> Check:
    content = contents.read(uri)
    if content is None:
        return Check(kind="file", name=output.name, uri=uri, verdict="missing", recorded=output.sha256)
    check = _compared("file", output.name, uri, output.sha256, content.sha256)
    is_unsigned = content.sha256 not in ("", output.sha256) and content.sha256 == output.unsigned_sha256
    return replace(check, verdict="unsigned") if is_unsigned else check


def _of_source(record: Record) -> Check:
    source = Source(
        uri=record.uri, name=record.name, size=record.bytes, fingerprint=record.fingerprint, offset=record.offset
    )
    try:
        found = contents.sha256(source.read())
    except Rejected:
        verdict: Verdict = "unreadable" if storage.size(record.uri) >= 0 else "missing"
        return Check(kind="source", name=record.name, uri=record.uri, verdict=verdict, recorded=record.sha256)
    return _compared("source", record.name, record.uri, record.sha256, found)


def _compared(kind: Kind, name: str, uri: str, recorded: str, found: str) -> Check:
    verdict: Verdict = "unreadable" if not found else "same" if found == recorded else "changed"
    return Check(kind=kind, name=name, uri=uri, verdict=verdict, recorded=recorded, found=found)


def of_runs(ledger: Ledger, model: str = "") -> Iterator[Check]:
    """Yield a check of the settings of each run, and of the model of the last one, for each partition if there are any.

    Args:
        ledger: of the folder.
        model: the SavedModel folder that should have made it (`model.saved_model.check`); '' if it is not compared.

    Raises:
        UserError: no run says which model it used.
    """
    parts = ledger.partitions or (ledger,)
    histories: dict[str, list[dict[str, Any]]] = {}
    for one in parts:
        try:
            histories[one.state] = run_list.known(one.state)
        except UserError:
            histories[one.state] = []
            place = one.state.removeprefix(ledger.state).strip("/")
            yield of_damage(Damage(f"{place}/{RUNS_FILE}".lstrip("/"), "is damaged"), ledger.state)
    if model and not all(histories.values()):
        raise UserError(f"{ledger.state} does not say which model made it; leave out --model")
    digest = saved_model.digest(model) if model else ""
    for state, runs in histories.items():
        part = partitions.of_folder(state)
        of_part = "" if part == WHOLE else f" of partition {part}"
        for number, run in enumerate(runs, start=1):
            recorded, settings = str(run.get("settings_digest", "")), run.get("settings")
            found = _settings_digest(settings, recorded)
            yield _compared("settings", f"of run {number}{of_part}", state, recorded, found)
        if model:
            name, recorded = str(runs[-1].get("model", "")), str(runs[-1].get("model_digest", ""))
            yield _compared("model", f"{name}{of_part}", model, recorded, digest)


def _settings_digest(settings: Any, recorded: str) -> str:
    """Return the digest of recorded settings, by the recipe that gives the recorded digest if there is one."""
    if not isinstance(settings, dict):
        return ""
    digests = provenance.digests_of(settings)
    return recorded if recorded in digests else digests[-1]


def of_damage(damage: Damage, folder: str) -> Check:
    """Return the check of a file of records that is damaged."""
    uri = storage.join(folder, damage.name)
    verdicts: dict[str, Verdict] = {LOST_FILE: "missing", UNNAMED_FILE: "unrecorded"}
    verdict = verdicts.get(damage.what, "changed")
    return Check(kind="records", name=f"{damage.name} {damage.what}", uri=uri, verdict=verdict)
