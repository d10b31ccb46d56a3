"""Which names the output can hold: short enough, in the store's alphabet, and none that the job uses for itself.

A name that fits is left as it is. Otherwise:

* In a bucket, names are UTF-8: a byte that is not becomes ``%E9``, see `pipelines.files.safe_names.utf_8`.
* A folder or a file that the job or ``autochrome report`` writes itself is avoided: ``manifest/a.jpg`` becomes
  ``manifest~2/a.jpg``.
* A name that is too long is cut and gets a mark: ``<its beginning>~x0123456789abcdef.jpg``. The digits are the *key* of
  the name, a hash of its folder and its file without the endings that are added to names.

The key is also what the job groups photos, records and files by: names that could ever meet in one file have one key.
Two names meet when they are equal as the least particular file system compares them: without regard to upper and lower
case, to how accents are composed, to characters that are never shown, and to dots and spaces at the end of a part.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pipelines.files import safe_names
from pipelines.files.hashes import stable_hash
from pipelines.files.safe_names import beginning
from pipelines.images import formats

# What the job and the report write; nothing of a photo is ever put there. `tests/pipelines` compares it with real runs.
OWN = (
    *("manifest", "report.json", "rejected.jsonl", "index.html", "report/data", "report/names", "report/thumbnails"),
    *(
        "report/page.css",
        "report/common.js",
        "report/figures.js",
        "report/index.js",
        "report/page.js",
        "report/viewer.js",
    ),
)
_OWN = tuple(tuple(path.split("/")) for path in OWN)

_ENDING = re.compile(rf"(?:(?:{'|'.join(map(re.escape, formats.EXTENSIONS))})|~\d{{1,9}}|\.p\d{{3,9}}|[. ])\Z")
_LONGEST_ADDITION = 16
_NUMBER = re.compile(r"~\d{1,9}\Z")
_MARKED = re.compile(r"(?P<before>.*)~x(?P<key>[0-9a-f]{16})(?:\.[^./]*)?\Z", re.DOTALL)
_LONGEST_TAIL = 40
_LONGEST_END = 18 + _LONGEST_TAIL  # the mark and the tail
_TAIL = re.compile(r"(?:\.[A-Za-z0-9]{1,8})?(?:~\d{1,9})?(?:\.p\d{3,9})?(?:\.[A-Za-z0-9]{1,8})?\Z")
# Default_Ignorable_Code_Point of Unicode: file systems that ignore case, such as ext4's, ignore these as well.
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


@lru_cache(maxsize=64)
def _folded_folder(folder: str) -> str:
    return "/".join(map(_folded_part, folder.split("/")))


def folded(path: str) -> str:
    """Returns a path in the form in which the least particular file system compares it."""
    folder, slash, file = path.rpartition("/")
    return f"{_folded_folder(folder)}/{_folded_part(file)}" if slash else _folded_part(file)


def _folded_part(part: str) -> str:
    return _seen(part) or part


def _seen(part: str) -> str:
    """Returns what is left of a part: nothing, if it is made of dots, spaces and characters that are never shown."""
    if part.isascii():
        return part.lower().rstrip(". ")
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFD", part).casefold())
    return _IGNORED.sub("", decomposed).rstrip(". ")


@dataclass(frozen=True)
class Rules:
    """What a store allows in the path of a file relative to the output.

    Attributes:
        utf_8: whether names must be UTF-8.
        part: bytes that a folder's or a file's name may have; 0 for any number.
        whole: bytes that the path may have.
    """

    utf_8: bool = False
    part: int = 255
    whole: int = 3500

    @classmethod
    def of(cls, output: str) -> "Rules":
        """Returns the rules of an output folder: of a local disk, or of a bucket, whose names have 1,024 bytes."""
        _, scheme, path = output.partition("://")
        if not scheme:
            return cls()
        _, _, folder = path.rstrip("/").partition("/")
        return cls(utf_8=True, part=0, whole=1024 - _size(f"{folder}/" if folder else ""))

    def placed(self, name: str) -> str:
        """Returns where a photo's files belong: its name in the store's alphabet, in folders that it can have.

        The file may still be too long, as something may be added to it before it is written: see ``fit``.

        Args:
            name: of a source, or of a file in the output.
        """
        folder, slash, file = (safe_names.utf_8(name) if self.utf_8 else name).rpartition("/")
        return f"{self._folder(folder)}/{file}" if slash else file

    def _folder(self, folder: str) -> str:
        parts = folder.split("/")
        if self.part:
            parts = [part if _size(part) <= self.part else self._cut_part(part) for part in parts]
        for own in _OWN:
            if tuple(map(_folded_part, parts[: len(own)])) == own:
                parts[len(own) - 1] += "~2"
        return "/".join(parts)

    def _cut_part(self, part: str) -> str:
        mark = f"~x{_hash(_folded_part(part)).hex()}"
        return f"{beginning(part, self.part - len(mark))}{mark}"

    def fit(self, path: str) -> str:
        """Returns a path that the store can hold: the path itself, or one that is cut and marked.

        Args:
            path: what ``placed`` returned, and what was added to it.
        """
        if _size(path) <= self.whole and (not self.part or _size(path.rpartition("/")[2]) <= self.part):
            return path
        found = _TAIL.search(path, max(0, len(path) - _LONGEST_TAIL))
        base = path[: found.start()] if found else path
        tail = f"~x{self.key(path).hex()}{path[len(base) :]}"
        if (marked := _MARKED.match(base)) is not None:
            base = marked["before"]
        # Whatever the length of the tail, so that the files of one photo begin alike.
        folder, slash, file = beginning(base, self.whole - _LONGEST_END).rpartition("/")
        return f"{folder}{slash}{beginning(file, self.part - _LONGEST_END) if self.part else file}{tail}"

    def key(self, path: str) -> bytes:
        """Returns eight bytes that all files have in common that could ever meet: a key to group them by.

        A photo's name, what ``placed`` and ``fit`` make of it, and all that `pipelines.archive.naming` adds have one
        key.
        """
        folder, slash, file = self.placed(path).rpartition("/")
        base = _bare(_seen(file))
        if (marked := _MARKED.match(base)) is not None:
            return bytes.fromhex(marked["key"])
        return _hash(f"{_folded_folder(folder)}{slash}{base}")


def _bare(file: str) -> str:
    """Returns a file's name without what may have been added to it: extensions, ``~2``, and the numbers of pages."""
    end = _before(_ENDING, file, len(file))
    stem, dot, extension = file[:end].rpartition(".")
    return f"{stem[: _before(_NUMBER, stem, len(stem))]}{dot}{extension}"


def _before(addition: re.Pattern[str], text: str, end: int) -> int:
    """Returns the index at which the additions to a text begin that come last in it."""
    # From the end on, a few characters at a time: a name in a tar may have a million.
    while end and (found := addition.search(text, max(0, end - _LONGEST_ADDITION), end)) is not None:
        end = found.start()
    return end


def _hash(text: str) -> bytes:
    return stable_hash(text, "name", errors="surrogatepass")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
