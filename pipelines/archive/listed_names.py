"""Find the listed files of one photo among those of its family: a book of 10,000 pages is one family."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.archive.naming import without_page


@dataclass(frozen=True)
class ListedNames:
    """The names of listed files.

    Attributes:
        places: place of each name in the listing.
        pages: names with the number of a page, by the name without it.
    """

    places: Mapping[str, int]
    pages: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, names: Iterable[str]) -> "ListedNames":
        """Index the names of a listing."""
        places = {name: place for place, name in enumerate(names)}
        pages: defaultdict[str, list[str]] = defaultdict(list)
        for name in places:
            if (whole := without_page(name)) != name:
                pages[whole].append(name)
        return cls(places, pages)

    def like(self, names: Iterable[str]) -> list[str]:
        """Return the listed names that are among others, or are so without the number of a page; as listed."""
        found = {listed for name in names for listed in (name, *self.pages.get(name, ())) if listed in self.places}
        return sorted(found, key=self.places.__getitem__)
