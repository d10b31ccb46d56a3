"""Files that lie beside photos and are not photos by their names: labels, captions, metadata, checksums.

The samples of a WebDataset are such groups of files: ``000.jpg``, ``000.json``, ``000.cls``. These files are left out
of an input, in folders, buckets and tars alike, so that they are not counted as rejected photos. The list has only
endings under which no program stores a picture; whatever else an archive holds is opened, and its content decides.
"""

from apache_beam.metrics import Metrics

from pipelines import notices

_ENDINGS = (
    *(".txt", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".xml", ".xmp", ".yaml", ".yml", ".md", ".html", ".htm"),
    *(".cls", ".cls2", ".idx", ".npy", ".npz", ".pkl", ".pickle", ".pth", ".pyd", ".parquet"),
    *(".md5", ".sha1", ".sha256", ".sha512", ".log", ".ini", ".db", ".ds_store"),
)
_APPLE = "._"  # AppleDouble, in which macOS keeps what other file systems cannot
COUNTER = "not_photos"


def is_sidecar(name: str) -> bool:
    """Returns whether a file is not a photo by its name."""
    file = name.rpartition("/")[2]
    return file.startswith(_APPLE) or file.lower().endswith(_ENDINGS)


def note(number: int) -> None:
    """Counts files that were left out, and tells the person once that there are any."""
    if number:
        Metrics.counter("autochrome", COUNTER).inc(number)
        notices.tell("sidecars", "files that are not photos by their names (.json, .txt, …) are left out")
