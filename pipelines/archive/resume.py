"""Find out what is already done: the output (listed once), the records of earlier runs, and the sources, by name.

A photo is done if its record says that this model and these settings made it from this source, and the files that the
record names are listed as they were written. Files are not looked up one by one. If a listing does not show whether
somebody changed a file, the worker that gets the photo compares digests, see `pipelines.archive.changes`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pipelines.archive import chroma_file
from pipelines.archive.listed_names import ListedNames
from pipelines.archive.manifest import OCCUPIED, Output, Record
from pipelines.archive.naming import LOCAL, NamedSource, assign, without_page
from pipelines.archive.provenance import Recipe
from pipelines.archive.written_names import Rules
from pipelines.files.compact import Compact
from pipelines.files.sources import Source
from pipelines.images import formats
from pipelines.runtime.outcomes import RETRIED


@dataclass(frozen=True, kw_only=True)
class Listed(Compact):
    """A file in the output.

    Attributes:
        name: path relative to the output.
        bytes: its size.
        fingerprint: see `pipelines.files.contents`.
    """

    name: str
    bytes: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class File(Compact):
    """A file in the output whose name belongs to one photo, or is in its record, and belongs to no other photo.

    Attributes:
        name: path relative to the output.
        fingerprint: as listed.
        digests: SHA-256 of each content that earlier runs wrote there; empty if none did.
    """

    name: str
    fingerprint: str
    digests: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Task(Compact):
    """The work for one input.

    Attributes:
        named: the input and its names.
        existing: the record that it has already; None if the photo is to be made.
        needs_check: whether to compare the files with the digests of the record before it is trusted.
        needs_source: whether the record counts only if the source has the same digest: its fingerprint has changed, or
            the record is not trusted.
        earlier: the record of an earlier run, if the photo is to be made; None if there is none.
        files: the photo's files in the output, if they need a check or the photo is to be made.
    """

    named: NamedSource
    existing: Record | None = None
    needs_check: bool = False
    earlier: Record | None = None
    files: tuple[File, ...] = ()
    needs_source: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the listings show that nothing is to be done."""
        return self.existing is not None and not self.needs_check and not self.needs_source


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How `tasks` decides.

    Attributes:
        recipe: of this run.
        keep_existing: whether files from another model or other settings stay.
        replace_changed: whether files that somebody changed are made again.
        retry: reasons of rejections after which a photo is made again.
        keep_mtime: whether files get the time of change of their source.
    """

    recipe: Recipe
    keep_existing: bool = False
    replace_changed: bool = False
    retry: frozenset[str] = frozenset(RETRIED)
    keep_mtime: bool = False


def tasks(
    sources: Iterable[Source],
    records: Iterable[Record],
    existing: Iterable[Listed],
    policy: Policy,
    rules: Rules = LOCAL,
    *,
    folders: Iterable[str] = (),
) -> Iterator[Task]:
    """Yield the task for each photo of one family, which shares a `Rules.key`.

    Args:
        sources: the photos; a repeated one counts once.
        records: of earlier runs, in any order, possibly several per photo.
        existing: files in the output folder.
        policy: of this run.
        rules: of the output.
        folders: of photos, whose names no file may have.
    """
    sources = list({source.place: source for source in sources}.values())
    namesakes = Counter((source.name, source.offset) for source in sources)
    recorded: defaultdict[tuple[str, int | None], list[Record]] = defaultdict(list)
    written: defaultdict[str, set[str]] = defaultdict(set)
    for record in sorted(records, key=lambda record: record.at):
        recorded[record.name, record.offset].append(record)
        for name, sha256 in record.made_digests.items():
            written[name].add(sha256)
    there = {listed.name: listed for listed in existing}
    files_there = ListedNames.of(there)
    copies = policy.recipe.settings.on_color == "copy"
    photos = assign(sources, rules, folders=folders, copies=copies)
    owners = Counter(name for named in photos for name in set(named.possible()))
    for named in photos:
        place = named.source.name, named.source.offset
        # An archive may have moved. But if two photos have one name, only the URI shows whose record it is.
        earlier = [one for one in recorded[place] if namesakes[place] == 1 or one.uri == named.source.uri]
        known = {name for one in earlier for name in one.made_digests.keys() | {output.name for output in one.outputs}}
        own = _own(named, known, files_there, owners)
        files = {
            name: File(name=name, fingerprint=there[name].fingerprint, digests=frozenset(written[name])) for name in own
        }
        task = _task(named, earlier[-1] if earlier else None, {name: there[name] for name in files}, policy)
        # The files of a record that needs a check are examined as well, because the photo may have to be made.
        if not task.is_done:
            task = replace(task, files=tuple(files.values()))
        yield task


def left_alone(task: Task) -> Task:
    """Return a task that makes nothing: the photo keeps its earlier record if the files of that record exist."""
    there = {file.name: file.fingerprint for file in task.files}
    earlier = task.earlier
    if earlier is None or not all(output.name in there for output in earlier.outputs):
        return task
    changed = any(output.fingerprint not in ("", there[output.name]) for output in earlier.outputs)
    return replace(task, existing=earlier, needs_check=changed or earlier.pending)


def _own(named: NamedSource, recorded: set[str], there: ListedNames, owners: Counter[str]) -> Iterator[str]:
    """Yield the names of listed files that belong to a photo and cannot belong to another one."""
    possible = set(named.possible())
    for name in there.like(recorded | possible):
        names = {name, without_page(name)}
        others = sum(owners[one] for one in names) - len(names & possible)
        if (name in recorded or not names.isdisjoint(possible)) and not others:
            yield name


def _task(named: NamedSource, found: Record | None, own: dict[str, Listed], policy: Policy) -> Task:
    recipe, source = policy.recipe, named.source
    if found is None:
        kept = _unrecorded(named, own, recipe) if policy.keep_existing else None
        return Task(named=named, existing=kept, needs_check=kept is not None)
    found = replace(found, uri=source.uri)
    if found.outputs and all(output.name in own for output in found.outputs):
        if not policy.replace_changed and (found.was_changed or _is_occupied(found, named, recipe)):
            return Task(named=named, existing=found, needs_check=_needs_check(found, own, recipe), earlier=found)
        if policy.keep_existing and not _is_made_so(found, source, recipe):
            return Task(named=named, existing=_kept(found), needs_check=_needs_check(found, own, recipe), earlier=found)
    if _may_be_made_so(found, source, recipe) and not found.was_changed and _stands(found, named, own, policy):
        return Task(
            named=named,
            existing=replace(_restored(found), fingerprint=source.fingerprint),
            needs_check=_needs_check(found, own, recipe),
            earlier=found,
            # A pending record may be from a damaged file, which somebody may have edited.
            needs_source=found.pending or found.fingerprint != source.fingerprint,
        )
    if policy.keep_existing and (kept := _unrecorded(named, own, recipe)):
        return Task(named=named, existing=kept, needs_check=True)
    return Task(named=named, earlier=found)


def _is_made_so(record: Record, source: Source, recipe: Recipe) -> bool:
    """Return whether this model and these settings made the photo from this source."""
    return _may_be_made_so(record, source, recipe) and record.fingerprint == source.fingerprint


def _may_be_made_so(record: Record, source: Source, recipe: Recipe) -> bool:
    """Return whether this model and these settings made the photo, perhaps from another file with the same bytes.

    A file that was copied or restored has the same size and another fingerprint.
    """
    is_like = bool(record.sha256) and record.bytes == source.size
    is_same = record.fingerprint == source.fingerprint or is_like
    return recipe.has_made(record, source.name) and is_same and not source.fault


def _stands(record: Record, named: NamedSource, own: dict[str, Listed], policy: Policy) -> bool:
    """Return whether a matching record is still what this run would make: the same names, and all files are there."""
    recipe = policy.recipe
    if record.outputs and record.status in ("rejected", "skipped"):
        return False  # an edited record: these have no files
    if record.status == "rejected":
        is_raised = record.reason == "too_large" and policy.recipe.settings.are_limits_raised
        return bool(record.sha256) and record.reason not in policy.retry and not is_raised
    if record.status == "skipped":
        return True
    names = [output.name for output in record.outputs]
    return names in (len(names) * [named.copy(record.format)], _names(record, named, recipe)) and all(
        name in own for name in names
    )


def _names(record: Record, named: NamedSource, recipe: Recipe) -> list[str]:
    """Return the names that this run would give to the files of a recorded photo, if it is not copied."""
    file_format = formats.output_format(recipe.settings.format, record.format)
    count = len(record.outputs)
    if recipe.settings.sidecar == chroma_file.ONLY:
        return count * [named.rules.sidecar(named.output(file_format, 0, count))]
    return [named.output(file_format, index, count) for index in range(count)]


def _needs_check(record: Record, own: dict[str, Listed], recipe: Recipe) -> bool:
    """Return whether the listing fails to show that the files of a record are as it describes them."""
    return not all(_is_as_written(output, own[output.name], record, recipe) for output in record.outputs)


def _is_as_written(output: Output, listed: Listed, record: Record, recipe: Recipe) -> bool:
    if output.fingerprint:
        return output.fingerprint == listed.fingerprint
    # Written before records had fingerprints. A run in between may have been killed after it wrote a file.
    return output.bytes == listed.bytes and record.run == recipe.run and not record.pending


def _restored(record: Record) -> Record:
    """Return the record of a photo that an earlier run kept, although this run's model and settings had made it."""
    if record.status != "kept":
        return record
    copied = len(record.outputs) == 1 and record.outputs[0].sha256 == record.sha256
    return replace(record, status="copied" if copied else "written")


def _kept(record: Record) -> Record:
    return replace(record, status="kept", reason="", detail="", milliseconds={})


def _is_occupied(record: Record, named: NamedSource, recipe: Recipe) -> bool:
    """Return whether somebody else's file was in the place of this photo's file, and still is."""
    if OCCUPIED not in record.warnings or record.fingerprint != named.source.fingerprint:
        return False
    file_format = formats.output_format(recipe.settings.format, record.format)
    wanted = {named.output(file_format, index, count) for index in range(len(record.outputs)) for count in (1, 2)}
    if recipe.settings.on_color == "copy":
        wanted.add(named.copy(record.format))
    return any(output.name in wanted for output in record.outputs)


def _unrecorded(named: NamedSource, own: dict[str, Listed], recipe: Recipe) -> Record | None:
    """Return a record for an existing file that is in no record and stays; None if there is no such file."""
    source = named.source
    for name in named.possible():
        if name in own:
            output = Output(
                name=name, page=1, width=0, height=0, bytes=own[name].bytes, sha256="", tone="", colourfulness=None
            )
            return Record(
                name=source.name,
                uri=source.uri,
                offset=source.offset,
                fingerprint=source.fingerprint,
                status="kept",
                outputs=(output,),
                run=recipe.run,
            )
    return None
