"""Make names that the output can hold: short enough, in the store's alphabet, and not used by the job itself.

A name that fits is left as it is. Otherwise:

* In a bucket, names are UTF-8: an invalid byte becomes ``%E9``, see `pipelines.files.safe_names.utf_8`.
* Names of folders and files that the job or ``autochrome report`` writes are avoided: ``manifest/a.jpg`` becomes
  ``manifest~2/a.jpg``.
* A name that is too long is cut and marked: ``<its beginning>~x0123456789abcdef.jpg``. The digits are the *key* of the
  name, a hash of its folder and of its file name without the endings that are added to names.

The job also groups photos, records and files by this key: all names that could ever be the same file have the same key.
Two names are the same if they are equal to the least strict file system: it ignores upper and lower case, how accents
are composed, characters that are never displayed, and dots and spaces at the end of a part.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pipelines.files import safe_names
from pipelines.files.hashes import stable_hash
from pipelines.files.safe_names import beginning
from pipelines.images import formats

# What the job and the report write; photos never go there. `tests/pipelines` compares this list with real runs.
OWN = (
    *("manifest", "report.json", "rejected.jsonl", "index.html", "report/data", "report/names", "report/thumbnails"),
    *(
        "report/page.css",
        "report/choosing.js",
        "report/common.js",
        "report/figures.js",
        "report/index.js",
        "report/page.js",
        "report/viewer.js",
    ),
)
CHROMA_ENDING = ".chroma"
"""Of sidecars, after the name of the picture in whose place they may be (`pipelines.archive.chroma_file`)."""
_OWN = tuple(tuple(path.split("/")) for path in OWN)

_ENDING = re.compile(rf"(?:(?:{'|'.join(map(re.escape, formats.EXTENSIONS))})|~\d{{1,9}}|\.p\d{{3,9}}|[. ])\Z")
_LONGEST_ADDITION = 16
_NUMBER = re.compile(r"~\d{1,9}\Z")
_MARKED = re.compile(r"(?P<before>.*)~x(?P<key>[0-9a-f]{16})(?:\.[^./]*)?\Z", re.DOTALL)
_LONGEST_TAIL = 40
_LONGEST_END = 18 + _LONGEST_TAIL  # the mark and the tail
_TAIL = re.compile(r"(?:\.[A-Za-z0-9]{1,8})?(?:~\d{1,9})?(?:\.p\d{3,9})?(?:\.[A-Za-z0-9]{1,8})?\Z")
# Default_Ignorable_Code_Point of Unicode: file systems that ignore case, such as ext4, ignore these as well.
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


@lru_cache(maxsize=64)
def _folded_folder(folder: str) -> str:
    return "/".join(map(_folded_part, folder.split("/")))


def folded(path: str) -> str:
    """Return a path in the form in which the least strict file system compares it."""
    folder, slash, file = path.rpartition("/")
    return f"{_folded_folder(folder)}/{_folded_part(file)}" if slash else _folded_part(file)


def _folded_part(part: str) -> str:
    return _seen(part) or part


def _seen(part: str) -> str:
    """Return the visible rest of a part: '' if it has only dots, spaces and characters that are never displayed."""
    if part.isascii():
        return part.lower().rstrip(". ")
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFD", part).casefold())
    return _IGNORED.sub("", decomposed).rstrip(". ")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a store allows in the path of a file relative to the output.

    Attributes:
        utf_8: whether names must be UTF-8.
        part: maximum size of the name of a folder or file, in bytes; 0 for no limit.
        whole: maximum size of the path, in bytes.
    """

    utf_8: bool = False
    part: int = 255
    whole: int = 3500

    @classmethod
    def of(cls, output: str) -> "Rules":
        """Return the rules of an output folder: on a local disk, or in a bucket, where names have up to 1,024 bytes."""
        _, scheme, path = output.partition("://")
        if not scheme:
            return cls()
        _, _, folder = path.rstrip("/").partition("/")
        return cls(utf_8=True, part=0, whole=1024 - _size(f"{folder}/" if folder else ""))

    def placed(self, name: str) -> str:
        """Return the place of a photo's files: its name in the store's alphabet, in folders that are allowed.

        The result may still be too long, because something may be added before it is written: see `fit`.

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
        """Return a path that the store can hold: the path itself, or one that is cut and marked.

        Args:
            path: a result of `placed`, with any additions.
        """
        if _size(path) <= self.whole and (not self.part or _size(path.rpartition("/")[2]) <= self.part):
            return path
        found = _TAIL.search(path, max(0, len(path) - _LONGEST_TAIL))
        base = path[: found.start()] if found else path
        tail = f"~x{self.key(path).hex()}{path[len(base) :]}"
        if (marked := _MARKED.match(base)) is not None:
            base = marked["before"]
        # Independent of the length of the tail, so that the files of one photo begin alike.
        folder, slash, file = beginning(base, self.whole - _LONGEST_END).rpartition("/")
        return f"{folder}{slash}{beginning(file, self.part - _LONGEST_END) if self.part else file}{tail}"

    def sidecar(self, path: str) -> str:
        """Return the path of the sidecar of a colour file, which may be in a folder of its own with other rules.

        Args:
            path: of the colour file, relative to its output.
        """
        return self.fit(self.placed(path) + CHROMA_ENDING)

    def key(self, path: str) -> bytes:
        """Return eight bytes that all files have in common that could ever be the same: a key to group them by.

        The name of a photo, the results of `placed` and `fit` for it, and all additions of `pipelines.archive.naming`
        have the same key.
        """
        folder, slash, file = self.placed(path.removesuffix(CHROMA_ENDING)).rpartition("/")
        base = _bare(_seen(file))
        if (marked := _MARKED.match(base)) is not None:
            return bytes.fromhex(marked["key"])
        return _hash(f"{_folded_folder(folder)}{slash}{base}")


def _bare(file: str) -> str:
    """Return the name of a file without possible additions: extensions, ``~2``, and the numbers of pages."""
    end = _before(_ENDING, file, len(file))
    stem, dot, extension = file[:end].rpartition(".")
    return f"{stem[: _before(_NUMBER, stem, len(stem))]}{dot}{extension}"


def _before(addition: re.Pattern[str], text: str, end: int) -> int:
    """Return the index where the additions at the end of a text begin."""
    # From the end, a few characters at a time: a name in a tar may have a million characters.
    while end and (found := addition.search(text, max(0, end - _LONGEST_ADDITION), end)) is not None:
        end = found.start()
    return end


def _hash(text: str) -> bytes:
    return stable_hash(text, "name", errors="surrogatepass")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
