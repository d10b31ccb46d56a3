"""The types of the files that Autochrome writes, so that a browser shows an object of a bucket."""

_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".xml": "application/xml",
    ".xmp": "application/rdf+xml",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".jsonl": "application/x-ndjson",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
_OTHER = "application/octet-stream"


def of(name: str) -> str:
    """Return the media type of a file from the ending of its name, in any case."""
    _, dot, ending = name.rpartition("/")[2].rpartition(".")
    return _TYPES.get(f"{dot}{ending.lower()}", _OTHER)
