"""Which file a photo becomes: its own name, unless two photos would then become one file.

A photo keeps its name where the extension fits the format it is written in, else the extension is added: ``scan.bmp``
becomes ``scan.bmp.png``. That meets another photo where the input holds ``scan.bmp.png`` as well, or one name twice, as
a tar may, or ``A.jpg`` beside ``a.jpg``, which some file systems take for one. The photo that has the name by right
(its own before an added extension, then by the order of names and places) keeps it, the other one gets ``~2``, ``~3``
and so on: ``scan.bmp~2.png``. What is decided depends on the set of names alone, not on the order of listing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count

from pipelines import formats
from pipelines.sources import Source

_ADDED = ("jpg", "png", "tif", "webp")
_ENDS = re.compile(r"(?:\.(?:jpe?g|jpe|jfif|png|tiff?|webp)|~\d+|\.p\d{3,})+\Z")
_PAGE = re.compile(r"\.p\d{3,}(?=\.[^./]*\Z)")
_MARKS_WITHIN = re.compile(r"(?:~\d+)+(?=\.[^.]*\Z)")


@dataclass(frozen=True)
class Named:
    """A source and the names that it may be written under.

    Attributes:
        source: the photo.
        own: where the extension fits.
        stem: what an extension is added to where it does not.
    """

    source: Source
    own: str
    stem: str

    def output(self, file_format: str, index: int = 0, count: int = 1) -> str:
        """The path relative to the output of a page of this photo written as JPEG, PNG, TIFF or WEBP.

        Pages of one file share it where it becomes a TIFF; else they are ``scan.tif.p001.png`` and so on.

        Args:
            file_format: in Pillow's words.
            index: of the page, from 0 on.
            count: of the pages.
        """
        if count > 1 and file_format != "TIFF":
            return formats.output_name(f"{self.stem}.p{index + 1:03d}", file_format)
        name = formats.output_name(self.own, file_format)
        return name if name == self.own else formats.output_name(self.stem, file_format)

    @property
    def has_its_name(self) -> bool:
        """Whether its files are named after it without a mark."""
        return self.own == self.stem == self.source.name

    def possible(self) -> Iterator[str]:
        """All paths that it may get, those of its pages without their numbers."""
        yield self.own
        yield from (f"{self.stem}.{extension}" for extension in _ADDED)


def without_page(name: str) -> str:
    """The path of a page's file without the number of the page."""
    return _PAGE.sub("", name)


def family(name: str) -> bytes:
    """What photos have in common that could ever meet in one file, and those files too: a key to group them by.

    Bytes, as a name that is no UTF-8 cannot be a string key in Beam.
    """
    folder, slash, file = name.casefold().rpartition("/")
    return f"{folder}{slash}{_MARKS_WITHIN.sub('', _ENDS.sub('', file))}".encode("utf-8", "surrogateescape")


def assign(sources: Iterable[Source]) -> list[Named]:
    """Gives every photo of a family names that no other one has, upper and lower case being the same."""
    ordered = sorted(sources, key=lambda source: (source.name, source.uri, source.offset or 0))
    taken = {source.name.casefold() for source in ordered}
    owners: set[str] = set()
    own: list[str] = []
    for source in ordered:
        name = source.name
        if name.casefold() in owners:
            stem, dot, extension = _split(name)
            name = next(free for n in count(2) if (free := f"{stem}~{n}{dot}{extension}").casefold() not in taken)
        owners.add(name.casefold())
        taken.add(name.casefold())
        own.append(name)
    named = []
    for source, name in zip(ordered, own, strict=True):
        stems = chain([name], (f"{name}~{n}" for n in count(2)))
        stem = next(stem for stem in stems if taken.isdisjoint(_extended(stem)) and not _has_pages(stem, taken))
        taken.update(_extended(stem))
        named.append(Named(source, name, stem))
    return named


def _extended(stem: str) -> list[str]:
    return [f"{stem}.{extension}".casefold() for extension in _ADDED]


def _has_pages(stem: str, taken: set[str]) -> bool:
    """Whether a name is taken that a page could get."""
    start = f"{stem}.p".casefold()
    return any(name.startswith(start) and name[len(start) : len(start) + 3].isdigit() for name in taken)


def _split(name: str) -> tuple[str, str, str]:
    """A name before its extension, the dot, and the extension."""
    folder, slash, file = name.rpartition("/")
    stem, dot, extension = file.rpartition(".")
    return (folder + slash + stem, dot, extension) if stem else (name, "", "")
