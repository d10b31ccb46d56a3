"""Recognise files that lie beside photos but are not photos by name: labels, captions, metadata, thumbnails, checksums.

The samples of a WebDataset are such groups of files: ``000.jpg``, ``000.json``, ``000.cls``. Operating systems and
storage devices leave files and folders of their own, some of them with pictures: ``._a.jpg``, ``Thumbs.db``,
``@eaDir``. All of these are ignored in folders, buckets and tars alike, so that they do not count as rejected photos.
The list contains only extensions under which no program stores a photo; every other file is opened, and its content
decides.
"""

import fnmatch
import re
from collections.abc import Sequence

from pipelines import notices

# What people and their programs say of a photo, in a file that has the photo's name.
_OF_PHOTOS = (
    *(".txt", ".json", ".xml", ".xmp", ".yaml", ".yml", ".aae", ".cls", ".cls2", ".iptc", ".pp3", ".dop", ".cos"),
)
_ENDINGS = (
    *_OF_PHOTOS,
    *(".jsonl", ".ndjson", ".csv", ".tsv", ".md", ".html", ".htm", ".thm", ".lnk", ".url"),
    *(".chroma", ".idx", ".npy", ".npz", ".pkl", ".pickle", ".pth", ".pyd", ".parquet"),
    *(".md5", ".sha1", ".sha256", ".sha512", ".log", ".ini", ".db", ".ds_store", ".nomedia", ".js", ".css"),
)
# The page of `autochrome report`, which may be among colour photos (`pipelines.viewer.thumbnails`).
_THUMBNAIL = re.compile(r"(?:.*/)?thumbnails/[0-9a-f]{2}/[0-9a-f]{18}\.jpg")
_APPLE = "._"  # AppleDouble files, in which macOS keeps what other file systems cannot store
# Thumbnails, deleted files and indexes of Synology, QNAP, Linux, macOS, Windows, XV and Google.
_FOLDERS = frozenset(
    {"@eadir", "#recycle", "@recycle", ".@__thumb", ".thumbnails", ".thumbs", ".xvpics", "__macosx", ".appledouble"}
    | {".trashes", ".spotlight-v100", ".fseventsd", ".temporaryitems", "$recycle.bin", "system volume information"}
    | {"lost+found", ".dropbox.cache", ".picasa"}
)
COUNTER, IGNORED = "not_photos", "ignored"


def is_sidecar(name: str) -> bool:
    """Return whether the name of a file, with the folders that it is in, shows that it is not a photo."""
    *folders, file = name.lower().split("/")
    is_named_so = file.startswith(_APPLE) or file.endswith(_ENDINGS) or not _FOLDERS.isdisjoint(folders)
    return is_named_so or _THUMBNAIL.fullmatch(name) is not None


def is_of_photo(name: str) -> bool:
    """Return whether a sidecar may say something of one photo."""
    *folders, file = name.lower().split("/")
    return file.endswith(_OF_PHOTOS) and not file.startswith(".") and _FOLDERS.isdisjoint(folders)


def is_excluded(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches one of the globs: as a whole if the glob has a slash, else one of its parts."""
    parts = name.split("/")
    return any(
        fnmatch.fnmatchcase(name, pattern.strip("/"))
        if "/" in pattern.strip("/")
        else any(fnmatch.fnmatchcase(part, pattern.strip("/")) for part in parts)
        for pattern in patterns
    )


def note(number: int) -> None:
    """Count files that were left out for their names, and tell the user once."""
    _note(number, "sidecars", "ignoring files whose names are not those of photos (.json, .txt, …)")


def note_specials(number: int) -> None:
    """Count pipes, sockets and devices that were left out, and tell the user once."""
    _note(number, "specials", "ignoring pipes, sockets and devices: they are not files, and are never opened")


def _note(number: int, topic: str, line: str) -> None:
    if number:
        from apache_beam.metrics import Metrics  # takes a second, which a single photo need not wait for

        Metrics.counter("autochrome", COUNTER).inc(number)
        notices.tell(topic, line)
