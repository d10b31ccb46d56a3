"""Choose the names of a photo's files: its own name, unless two photos would then become one file.

A photo keeps its name if the extension fits the format that it is written in. Otherwise the extension is added:
``scan.bmp`` becomes ``scan.bmp.png``. This name may collide with another photo: the input may also contain
``scan.bmp.png``, or the same name twice (as a tar may), or ``A.jpg`` and ``a.jpg``, which some file systems treat as
one, or a folder with that name. Of two such photos, the one that has the name by itself keeps it (first its own name,
then an added extension, then the order of names and places). The other one gets ``~2``, ``~3`` and so on:
``scan.bmp~2.png``. The decision depends only on the set of names, not on the order in which they are listed. Names that
the output's store cannot hold are changed first, see `pipelines.archive.written_names`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, product

from pipelines.archive.written_names import Rules, folded
from pipelines.files.compact import Compact
from pipelines.files.sources import Source
from pipelines.images import formats

LOCAL = Rules()
_PAGE = re.compile(r"\.p\d{3,}(?=\.[^./]*\Z)")
_ANY_PAGE = re.compile(r"\.p\d{3}")


@dataclass(frozen=True, kw_only=True)
class NamedSource(Compact):
    """A source and the names that its files may have.

    Attributes:
        source: the photo.
        own: its name if the extension fits.
        stem: the name that an extension is added to otherwise.
        rules: of the output.
        copies: whether it may be copied, whatever its format.
    """

    source: Source
    own: str
    stem: str
    rules: Rules = LOCAL
    copies: bool = False

    def output(self, file_format: str, index: int = 0, count: int = 1) -> str:
        """Return the path, relative to the output, of a page of this photo in the given format.

        Pages of one file share a TIFF; in other formats they are ``scan.tif.p001.png`` and so on.

        Args:
            file_format: JPEG, PNG, TIFF or WEBP, in Pillow's spelling.
            index: of the page, from 0.
            count: number of pages.
        """
        if count > 1 and file_format != "TIFF":
            return self.rules.fit(formats.output_name(f"{self.stem}.p{index + 1:03d}", file_format))
        return self._extended(formats.output_name(self.own, file_format))

    def copy(self, source_format: str) -> str:
        """Return the path, relative to the output, of a copy of this photo, whose bytes have that format."""
        return self._extended(formats.copy_name(self.own, source_format))

    def _extended(self, name: str) -> str:
        return name if name == self.own else self.rules.fit(self.stem + name.removeprefix(self.own))

    @property
    def has_its_name(self) -> bool:
        """Whether its files have its name without an added number."""
        return self.stem == self.rules.placed(self.source.name) and self.own == self.rules.fit(self.stem)

    def possible(self) -> Iterator[str]:
        """Yield all paths that it may get; paths of pages come without the number of the page."""
        yield self.own
        for extension in _added(self.copies):
            yield self.rules.fit(f"{self.stem}{extension}")
        for page, extension in product((".p001", ".p999999"), formats.ADDED):
            yield without_page(self.rules.fit(f"{self.stem}{page}{extension}"))


def without_page(name: str) -> str:
    """Return the path of a page's file without the number of the page."""
    return _PAGE.sub("", name)


def folders(name: str, rules: Rules = LOCAL) -> Iterator[str]:
    """Yield those folders of a photo's file whose name could also be that of a file: they end in an extension."""
    folder = rules.placed(name).rpartition("/")[0]
    while folder:
        if folder.lower().endswith(formats.EXTENSIONS):
            yield folder
        folder = folder.rpartition("/")[0]


@dataclass(kw_only=True)
class _Taken:
    """The folded names that the photos of one family have.

    Attributes:
        names: complete names.
        stems: of names that look like pages: the part before ``.p001``.
        numbers: by name, the last number that was added to it.
    """

    names: set[str] = field(default_factory=set)
    stems: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, names: Iterable[str]) -> None:
        for name in names:
            self.names.add(name)
            self.stems.update(name[: page.start()] for page in _ANY_PAGE.finditer(name))


def assign(
    sources: Iterable[Source], rules: Rules = LOCAL, *, folders: Iterable[str] = (), copies: bool = False
) -> list[NamedSource]:
    """Give every photo of a family names that no other one has, compared as by `written_names.folded`.

    Args:
        sources: photos with the same `Rules.key`.
        rules: of the output.
        folders: of photos, with the same key; no file may have their names.
        copies: whether photos may be copied, whatever their format.
    """
    ordered = sorted(sources, key=lambda source: source.place)
    placed = [rules.placed(source.name) for source in ordered]
    closed = set(map(folded, folders))
    taken = _Taken()
    taken.add(folded(rules.fit(name)) for name in placed)
    taken.add(closed)
    owners = set(closed)
    own: list[str] = []
    for name in placed:
        mine = rules.fit(name)
        if folded(mine) in owners:
            name, mine = _numbered(name, taken, rules)
        owners.add(folded(mine))
        taken.add([folded(mine)])
        own.append(name)
    added = _added(copies)
    paged: set[str] = set()
    named = []
    for source, name in zip(ordered, own, strict=True):
        stems = chain([name], (f"{name}~{n}" for n in count(2)))
        stem, extended, page = next(
            (stem, extended, page)
            for stem in stems
            if taken.names.isdisjoint(extended := {folded(rules.fit(f"{stem}{one}")) for one in added})
            # Different stems may become equal when they are cut to make room for a page's number.
            and (page := folded(rules.fit(f"{stem}.p001.png")).removesuffix(".p001.png")) not in taken.stems
            and page not in paged
        )
        taken.add(extended)
        paged.add(page)
        named.append(NamedSource(source=source, own=rules.fit(name), stem=stem, rules=rules, copies=copies))
    return named


def _added(copies: bool) -> tuple[str, ...]:
    return formats.ADDED_TO_COPIES if copies else formats.ADDED


def _numbered(name: str, taken: _Taken, rules: Rules) -> tuple[str, str]:
    """Return a name with the lowest number that makes it unique, and the form in which it is written."""
    stem, dot, extension = _split(name)
    for n in count(taken.numbers.get(folded(name), 1) + 1):
        numbered = f"{stem}~{n}{dot}{extension}"
        written = rules.fit(numbered)
        if f"~{n}{dot}{extension}" not in written:  # the number was cut off
            numbered = f"{name}~{n}"
            written = rules.fit(numbered)
        if folded(written) not in taken.names:
            taken.numbers[folded(name)] = n
            return numbered, written
    raise AssertionError("numbers do not end")


def _split(name: str) -> tuple[str, str, str]:
    """Split a name into the part before its extension, the dot, and the extension."""
    folder, slash, file = name.rpartition("/")
    stem, dot, extension = file.rpartition(".")
    return (folder + slash + stem, dot, extension) if stem else (name, "", "")
