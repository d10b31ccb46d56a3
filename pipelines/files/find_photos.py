"""`FindPhotos`: list an input in Beam, and find the inputs that a PCollection came from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field

import apache_beam as beam
from apache_beam.metrics import Metrics

from pipelines.files import input_checks, input_paths, sidecars, sources, tars
from pipelines.files.input_paths import InputPath
from pipelines.files.list_parts import PLAIN, ListOptions
from pipelines.files.listings import Branch
from pipelines.files.sources import Source


@dataclass(eq=False)
class FindPhotos(beam.PTransform):
    """List an input: root → PCollection of `Source`, one per photo.

    Folders are listed and tars indexed in parallel: each subfolder, tar and inner tar can go to any worker. Photos do
    not cross a shuffle here, because local runs keep shuffled data in memory; the next step spreads them.

        >>> with beam.Pipeline(runner="FnApiRunner") as p:
        ...     photos = p | FindPhotos("scans/*.tif")
        ...     _ = photos | beam.Filter(lambda photo: photo.size > 1_000_000) | beam.Map(lambda photo: photo.name)

    Attributes:
        patterns: folder, file, tar, glob or list of photos, local or in a bucket; or several.
        lists: how lists are read.
        on_found: called for every photo in the process that finds it.
        exclude: globs of names that are ignored, see `pipelines.files.sidecars.is_excluded`.
        is_checked: whether the input has been checked by `pipelines.files.input_checks.check_any`, as the commands do
            before they import Beam. In a bucket the check takes four requests.

        ignored: the files that are not photos, after the transform was applied.

    Raises:
        UserError: when it is applied: the input does not exist or has no files.
    """

    patterns: str | Sequence[str]
    _: KW_ONLY
    lists: ListOptions = PLAIN
    on_found: Callable[[], object] | None = None
    exclude: Sequence[str] = ()
    is_checked: bool = False
    ignored: beam.PCollection[Source] | None = field(default=None, init=False)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[Source]:
        """Add the steps that list the input, open tars, and open the tars inside them."""
        if not self.is_checked:
            input_checks.check_any(self.patterns, self.lists)
        paths = input_paths.of(self.patterns, self.lists)
        listed = (
            root
            | "Input" >> beam.Create(paths)
            | "Branches" >> beam.FlatMap(_branches)
            | "Spread branches" >> beam.Reshuffle()
            | "Files" >> beam.FlatMap(_files)
            | "Exclude" >> beam.Map(sources.excluded, tuple(self.exclude))
        )
        tars_found, photos = listed | "Tars?" >> beam.Partition(_place, 2)
        inner_tars, photos_in_tars = self._opened(tars_found, "tars") | "Tars in tars?" >> beam.Partition(_place, 2)
        photos_within = self._opened(inner_tars, "inner tars")
        found = (photos, photos_in_tars, photos_within) | "All" >> beam.Flatten()
        if input_paths.overlap(paths):
            found = (
                found
                | "Key places" >> beam.Map(lambda source: (sources.file_of(source), source))
                | "Same place" >> beam.GroupByKey()
                | "Once" >> beam.Map(_first)
            )
        ignored, photos = found | "Ignored?" >> beam.Partition(_is_photo, 2)
        self.ignored = ignored | "Count ignored" >> beam.Map(_counted)
        return photos | "Tell" >> beam.Map(_told, self.on_found)

    def _opened(self, tars_found: beam.PCollection[Source], what: str) -> beam.PCollection[Source]:
        path = input_paths.of(self.patterns, self.lists)[0]
        spread = tars_found | f"Spread {what}" >> beam.Reshuffle()
        opened = spread | f"Open {what}" >> beam.FlatMap(sources.members, path)
        return opened | f"Exclude in {what}" >> beam.Map(sources.excluded, tuple(self.exclude))


def _told(source: Source, on_found: Callable[[], object] | None) -> Source:
    if on_found is not None:
        on_found()
    return source


def _counted(source: Source) -> Source:
    Metrics.counter("autochrome", sidecars.IGNORED).inc()
    return source


def patterns_of(photos: beam.PCollection[Source]) -> Iterator[str]:
    """Yield the inputs of every `FindPhotos` that a collection comes from, despite transforms in between."""
    waiting, seen = [photos], set()
    while waiting:
        collection = waiting.pop()
        node = getattr(collection, "producer", None)
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += node.inputs
        while node is not None:
            if isinstance(node.transform, FindPhotos) and node not in seen:
                patterns = node.transform.patterns
                yield from [patterns] if isinstance(patterns, str) else patterns
            seen.add(node)
            node = node.parent


def _branches(path: InputPath) -> Iterator[tuple[InputPath, Branch]]:
    return ((path, branch) for branch in input_paths.branches(path))


def _files(part: tuple[InputPath, Branch]) -> Iterator[Source]:
    path, branch = part
    return sources.files(branch, path.root, path.folder, is_input=True)


def _first(keyed: tuple[tuple[bytes, int], Iterable[Source]]) -> Source:
    return min(keyed[1], key=lambda source: source.place)


def _place(source: Source, _: int) -> int:
    """Return 0 for a tar to open, 1 for any other file."""
    return 0 if tars.is_tar(source.name) and not source.fault and not source.is_ignored else 1


def _is_photo(source: Source, _: int) -> int:
    return int(not source.is_ignored)
