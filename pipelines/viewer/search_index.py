"""An index of the words in names, in files that the page loads when somebody searches for a word.

    OUTPUT/report/names/words/00001.js      {word: numbers of the files of names that have it}

A word is a run of letters and digits. A checksum of the word says which file has it, so a search for two words loads
two files of the index, and then the files of names that have both. Memory does not grow with the photos: words wait in
temporary files until all names are known.
"""

import re
import tempfile
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from math import ceil
from types import TracebackType
from typing import BinaryIO, Self

SEARCHED_WHOLE = 100_000
"""Names that the page searches without an index, which also finds parts of words."""
_WORDS_PER_FILE = 10_000
_TEMPORARY = 128
_LONGEST_WORD = 64
_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")


def words_of(name: str) -> set[str]:
    """Return the words of a name, in lower case and without accents, as choosing.js finds them in a search."""
    return {word[:_LONGEST_WORD] for word in _WORD.findall(_folded(name))}


def _folded(text: str) -> str:
    lower = unicodedata.normalize("NFC", text).lower()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", lower)))


def file_of(word: str, files: int) -> int:
    """Return the number of the file that has a word, from 1."""
    return zlib.crc32(word.encode()) % files + 1


class SearchIndex:
    """Collects the words of names; a context manager that removes its temporary files."""

    def __init__(self, photos: int) -> None:
        """Prepare the index.

        Args:
            photos: their number.
        """
        self.files = ceil(photos / _WORDS_PER_FILE) if photos > SEARCHED_WHOLE else 0
        self._stack = ExitStack()
        self._waiting: list[BinaryIO] = []
        for _ in range(min(self.files, _TEMPORARY)):
            self._waiting.append(self._stack.enter_context(tempfile.TemporaryFile()))  # noqa: SIM115 (closed by the stack)

    def add(self, number: int, names: Iterable[str]) -> None:
        """Add a file of names."""
        if not self.files:
            return
        for word in sorted(set().union(*map(words_of, names))):
            file = file_of(word, self.files)
            self._waiting[file % len(self._waiting)].write(f"{file} {word} {number}\n".encode())

    def contents(self) -> Iterator[tuple[int, dict[str, list[int]]]]:
        """Yield number and contents of each file of the index."""
        for place, waiting in enumerate(self._waiting):
            found: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
            waiting.seek(0)
            for line in waiting:
                told, word, number = line.decode().split()
                found[int(told)][word].append(int(number))
            for file in range(1, self.files + 1):
                if file % len(self._waiting) == place:
                    yield file, dict(sorted(found[file].items()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
