"""Which file a photo becomes: its own name, unless two photos would then become one file.

A photo keeps its name if the extension fits the format that it is written in; otherwise the extension is added:
``scan.bmp`` becomes ``scan.bmp.png``. That meets another photo if the input holds ``scan.bmp.png`` as well, or one name
twice, as a tar may, or ``A.jpg`` beside ``a.jpg``, which some file systems take for one, or a folder of that name. The
photo that has the name by right (its own before an added extension, then by the order of names and places) keeps it,
the other one gets ``~2``, ``~3`` and so on: ``scan.bmp~2.png``. The decision depends on the set of names alone, not on
the order in which they are listed. What the output's store cannot hold is changed first, see
`pipelines.archive.written_names`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, product

from pipelines.archive.written_names import Rules, folded
from pipelines.files.sources import Source
from pipelines.images import formats

LOCAL = Rules()
_PAGE = re.compile(r"\.p\d{3,}(?=\.[^./]*\Z)")
_ANY_PAGE = re.compile(r"\.p\d{3}")


@dataclass(frozen=True)
class NamedSource:
    """A source and the names that it may be written under.

    Attributes:
        source: the photo.
        own: if the extension fits.
        stem: what an extension is added to if it does not.
        rules: of the output.
        copies: whether it may be copied, in whatever format it has.
    """

    source: Source
    own: str
    stem: str
    rules: Rules = LOCAL
    copies: bool = False

    def output(self, file_format: str, index: int = 0, count: int = 1) -> str:
        """Returns the path relative to the output of a page of this photo written as JPEG, PNG, TIFF or WEBP.

        Pages of one file share it if it becomes a TIFF; otherwise they are ``scan.tif.p001.png`` and so on.

        Args:
            file_format: in Pillow's words.
            index: of the page, from 0 on.
            count: of the pages.
        """
        if count > 1 and file_format != "TIFF":
            return self.rules.fit(formats.output_name(f"{self.stem}.p{index + 1:03d}", file_format))
        return self._extended(formats.output_name(self.own, file_format))

    def copy(self, source_format: str) -> str:
        """Returns the path relative to the output of a copy of this photo, whose bytes have that format."""
        return self._extended(formats.copy_name(self.own, source_format))

    def _extended(self, name: str) -> str:
        return name if name == self.own else self.rules.fit(self.stem + name.removeprefix(self.own))

    @property
    def has_its_name(self) -> bool:
        """Whether its files are named after it without a number."""
        return self.stem == self.rules.placed(self.source.name) and self.own == self.rules.fit(self.stem)

    def possible(self) -> Iterator[str]:
        """Yields all paths that it may get, those of its pages without their numbers."""
        yield self.own
        for extension in _added(self.copies):
            yield self.rules.fit(f"{self.stem}{extension}")
        for page, extension in product((".p001", ".p999999"), formats.ADDED):
            yield without_page(self.rules.fit(f"{self.stem}{page}{extension}"))


def without_page(name: str) -> str:
    """Returns the path of a page's file without the number of the page."""
    return _PAGE.sub("", name)


def folders(name: str, rules: Rules = LOCAL) -> Iterator[str]:
    """Yields the folders of a photo's file, if a file could have their name as well: those that end in an extension."""
    folder = rules.placed(name).rpartition("/")[0]
    while folder:
        if folder.lower().endswith(formats.EXTENSIONS):
            yield folder
        folder = folder.rpartition("/")[0]


@dataclass
class _Taken:
    """The names that photos of one family have, folded.

    Attributes:
        names: whole names.
        stems: of names that look like those of pages: what comes before ``.p001``.
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
    """Gives every photo of a family names that no other one has, in the form in which `written_names.folded` compares.

    Args:
        sources: photos with one `Rules.key`.
        rules: of the output.
        folders: of photos, with that key as well; no file may have their names.
        copies: whether photos may be copied, in whatever format they have.
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
            # Stems that differ may be cut to one where they are too long for a page's number.
            and (page := folded(rules.fit(f"{stem}.p001.png")).removesuffix(".p001.png")) not in taken.stems
            and page not in paged
        )
        taken.add(extended)
        paged.add(page)
        named.append(NamedSource(source, rules.fit(name), stem, rules, copies))
    return named


def _added(copies: bool) -> tuple[str, ...]:
    return formats.ADDED_TO_COPIES if copies else formats.ADDED


def _numbered(name: str, taken: _Taken, rules: Rules) -> tuple[str, str]:
    """Returns a name with the lowest number that makes it a new one, and the form in which it is written."""
    stem, dot, extension = _split(name)
    for n in count(taken.numbers.get(folded(name), 1) + 1):
        numbered = f"{stem}~{n}{dot}{extension}"
        written = rules.fit(numbered)
        if f"~{n}{dot}{extension}" not in written:  # cut off
            numbered = f"{name}~{n}"
            written = rules.fit(numbered)
        if folded(written) not in taken.names:
            taken.numbers[folded(name)] = n
            return numbered, written
    raise AssertionError("numbers do not end")


def _split(name: str) -> tuple[str, str, str]:
    """Returns a name before its extension, the dot, and the extension."""
    folder, slash, file = name.rpartition("/")
    stem, dot, extension = file.rpartition(".")
    return (folder + slash + stem, dot, extension) if stem else (name, "", "")
