"""What is done already: the output listed once, the records of earlier runs, and the sources, joined by name.

A photo is done when its record says that this model and these settings made it of this very source, and the files that
the record names are listed with the bytes it names. No file is asked for one by one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pipelines import formats
from pipelines.manifest import Output, Record
from pipelines.naming import Named, assign, without_page
from pipelines.runs import Maker
from pipelines.sources import Source

_PASSING = ("timed_out", "out_of_memory", "crashed")
"""Rejections that another day may change."""


@dataclass(frozen=True)
class Task:
    """What there is to do for one input.

    Attributes:
        named: the input and its names.
        standing: the record that it has already; None where the photo is to be made.
        doubtful: whether the files are to be compared with the record's digests before it is believed.
        leftovers: where it is to be made, files in the output that are named after it and after no other photo: path,
            and sha256 of what an earlier run wrote there; "" where none did, or where it is to be kept.
    """

    named: Named
    standing: Record | None = None
    doubtful: bool = False
    leftovers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Policy:
    """How `tasks` decides.

    Attributes:
        maker: of this run.
        keep_existing: whether files that something else made stay.
    """

    maker: Maker
    keep_existing: bool = False


def tasks(
    sources: Iterable[Source], records: Iterable[Record], existing: Iterable[tuple[str, int]], policy: Policy
) -> Iterator[Task]:
    """Decides for the photos of one family, see `naming.family`.

    Args:
        sources: the photos.
        records: of earlier runs, several of a photo in any order.
        existing: files in the output folder: path relative to it, and bytes.
        policy: of this run.
    """
    latest: dict[tuple[str, int | None], Record] = {}
    for record in sorted(records, key=lambda record: record.at):
        latest[record.name, record.offset] = record
    there = dict(existing)
    photos = assign(sources)
    owners = Counter(name for named in photos for name in set(named.possible()))
    for named in photos:
        found = latest.get((named.source.name, named.source.offset))
        task = _task(named, found, there, policy)
        # What a doubtful record names is looked at, too, and may have to be made.
        if task.standing is None or task.doubtful:
            task = replace(task, leftovers=tuple(_leftovers(named, found, there, owners, policy)))
        yield task


def _leftovers(
    named: Named, found: Record | None, there: dict[str, int], owners: Counter[str], policy: Policy
) -> Iterator[tuple[str, str]]:
    recorded = {output.name: output.sha256 for output in found.outputs} if found else {}
    possible = set(named.possible())
    for name in there:
        names = {name, without_page(name)}
        own = not names.isdisjoint(possible)
        others = sum(owners[one] for one in names) - len(names & possible)
        if (own or name in recorded) and not others:
            yield name, "" if policy.keep_existing else recorded.get(name, "")


def _task(named: Named, found: Record | None, there: dict[str, int], policy: Policy) -> Task:
    maker, source = policy.maker, named.source
    if found is not None:
        found = replace(found, uri=source.uri)
        made_so = (found.model_digest, found.settings_digest) == (maker.model_digest, maker.settings_digest)
        if (
            made_so
            and found.fingerprint == source.fingerprint
            and not source.fault
            and _stands(found, named, there, maker)
        ):
            return Task(named, _restored(found), doubtful=found.run != maker.run and bool(found.outputs))
    if policy.keep_existing and (kept := _kept(named, found, there, maker)):
        return Task(named, kept)
    return Task(named)


def _stands(record: Record, named: Named, there: dict[str, int], maker: Maker) -> bool:
    if record.status == "rejected":
        return bool(record.sha256) and record.reason not in _PASSING
    if record.status == "skipped":
        return True
    as_copied = [named.own]
    file_format = formats.output_format(maker.settings.format, record.format)
    count = len(record.outputs)
    as_made = [named.output(file_format, index, count) for index in range(count)]
    names = [output.name for output in record.outputs]
    return names in (count * as_copied, as_made) and _all_there(record.outputs, there)


def _all_there(outputs: Iterable[Output], there: dict[str, int]) -> bool:
    return all(there.get(output.name) == output.bytes for output in outputs)


def _restored(record: Record) -> Record:
    """The record of a photo once kept for another run's sake, and made by this one's model and settings after all."""
    if record.status != "kept":
        return record
    copied = len(record.outputs) == 1 and record.outputs[0].sha256 == record.sha256
    return replace(record, status="copied" if copied else "written")


def _kept(named: Named, found: Record | None, there: dict[str, int], maker: Maker) -> Record | None:
    """The record of files that stay as they are; None where there are none."""
    source = named.source
    if found is not None and found.outputs and _all_there(found.outputs, there):
        return replace(found, status="kept", reason="", detail="", milliseconds={})
    for name in named.possible():
        if name in there:
            output = Output(name, 1, 0, 0, there[name], "", "", None)
            return Record(
                source.name, source.uri, source.offset, source.fingerprint, "kept", outputs=(output,), run=maker.run
            )
    return None
