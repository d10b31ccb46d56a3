"""Recognise files that accompany photos but are not photos by name: labels, captions, metadata, checksums.

The samples of a WebDataset are such groups of files: ``000.jpg``, ``000.json``, ``000.cls``. Sidecars are left out of
folders, buckets and tars alike, so that they are not counted as rejected photos. The list contains only extensions
under which no program stores a picture; every other file is opened, and its content decides.
"""

from pipelines import notices

_ENDINGS = (
    *(".txt", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".xml", ".xmp", ".yaml", ".yml", ".md", ".html", ".htm"),
    *(".cls", ".cls2", ".idx", ".npy", ".npz", ".pkl", ".pickle", ".pth", ".pyd", ".parquet"),
    ".hints.png",  # a picture that somebody painted, see `pipelines.guidance.hint_files`
    *(".md5", ".sha1", ".sha256", ".sha512", ".log", ".ini", ".db", ".ds_store"),
)
_APPLE = "._"  # AppleDouble files, in which macOS keeps what other file systems cannot store
COUNTER = "not_photos"


def is_sidecar(name: str) -> bool:
    """Return whether the name of a file shows that it is not a photo."""
    file = name.rpartition("/")[2]
    return file.startswith(_APPLE) or file.lower().endswith(_ENDINGS)


def note(number: int) -> None:
    """Count files that were left out, and tell the user once."""
    if number:
        from apache_beam.metrics import Metrics  # takes a second, which a single photo need not wait for

        Metrics.counter("autochrome", COUNTER).inc(number)
        notices.tell("sidecars", "skipping files whose names are not those of photos (.json, .txt, …)")
