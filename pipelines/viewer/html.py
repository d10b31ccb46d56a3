"""Write the page for browsing a colorized folder: one HTML file that a browser opens from disk, without a server.

    OUTPUT/index.html                   needs nothing but the files below
    OUTPUT/report/page.css, *.js        style and code, the same for every folder
    OUTPUT/report/index.js              the summary, and what is in which of the files below
    OUTPUT/report/names/00001.js        10,000 names each, loaded for a search
    OUTPUT/report/names/words/…         see `pipelines.viewer.search_index`
    OUTPUT/report/data/00001.js         100 records each, loaded when they are shown
    OUTPUT/report/data/columns/…        see `pipelines.viewer.columns`, also for ``ranked``
    OUTPUT/report/thumbnails/…          see `pipelines.viewer.thumbnails`

Browsers refuse to fetch files for a page on disk, so the data are scripts that call a function of the page. They are
ASCII, with all other characters escaped. The page puts their contents into text nodes and never into markup. Equal
records give equal bytes. What is loaded to open the page, and the memory that writing it takes, hardly grow with the
number of photos.
"""

import json
import os
import re
from collections.abc import Container, Iterable, Iterator
from importlib import resources
from itertools import islice
from typing import Any
from urllib.parse import quote

from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.files import local_files, storage, stores
from pipelines.files.listings import Branch
from pipelines.files.sources import files
from pipelines.runtime.outcomes import DONE
from pipelines.viewer import thumbnails
from pipelines.viewer.columns import PHOTOS_PER_FILE, Columns
from pipelines.viewer.search_index import SearchIndex
from pipelines.viewer.summary import BIN_WIDTH, Summary
from pipelines.viewer.thumbnails import Pair, Sheet

FILE = "index.html"
FOLDER = "report"
FOLDERS = (f"{FOLDER}/data", f"{FOLDER}/names")
RECORDS_PER_FILE = 100
NAMES_PER_FILE = PHOTOS_PER_FILE
_ASSETS = ("page.css", "common.js", "figures.js", "choosing.js", "viewer.js", "page.js")
_NUMBERED = re.compile(rf"{FOLDER}/(?:data(?:/columns|/ranked)?|names(?:/words)?)/\d{{5,}}\.js\Z")


def pages(
    records: Iterable[Record],
    summary: Summary,
    made_with: dict[str, Any],
    title: str,
    there: Container[str],
    place: str = "",
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the page, ``index.html`` last, as pairs of a path relative to the output and bytes.

    Args:
        records: sorted by name.
        summary: of the records.
        made_with: model and settings.
        title: of the page.
        there: ids of the existing thumbnails.
        place: base address of the photos, see `address_of`.
    """
    columns = Columns(keys=[key for key, _ in ordered(summary)])
    names: list[str] = []
    rest = iter(records)
    with SearchIndex(summary.inputs) as words:
        for number, few in enumerate(iter(lambda: list(islice(rest, RECORDS_PER_FILE)), []), start=1):
            yield f"{FOLDER}/data/{number:05d}.js", _call("rows", number, [_row(record, there) for record in few])
            for record in few:
                columns.add(record)
                names.append(record.name)
            if columns.is_full:
                yield from _shard(columns, names, words)
                names = []
        if names:
            yield from _shard(columns, names, words)
        for number, found in words.contents():
            yield f"{FOLDER}/names/words/{number:05d}.js", _call("found", number, found)
    for number, ranked in enumerate(columns.ranked(), start=1):
        yield f"{FOLDER}/data/ranked/{number:05d}.js", _call("ranked", number, ranked)
    index = {
        "title": title,
        "place": place,
        "photos": columns.photos,
        "recordsPerFile": RECORDS_PER_FILE,
        "namesPerFile": NAMES_PER_FILE,
        "wordFiles": words.files,
        "keys": columns.keys,
        "done": DONE,
        "summary": _told(summary, made_with),
        "counts": columns.counts(),
    }
    for asset in _ASSETS:
        yield f"{FOLDER}/{asset}", _asset(asset)
    yield f"{FOLDER}/index.js", _call("index", index)
    yield FILE, _asset(FILE)


def address_of(photos: str, page: str) -> str:
    """Return the address of the folder of photos for a page in another folder; '' if both are the same.

    Within one file system, it is a relative path, so that both folders can be moved together.
    """
    photos, page = (storage.normalized(folder) for folder in (photos, page))
    if photos == page:
        return ""
    # As bytes, because a name on a disk need not be UTF-8.
    if not storage.is_remote(photos) and not storage.is_remote(page):
        return quote(os.fsencode(os.path.relpath(photos, page))) + "/"
    if storage.is_in_bucket(photos):
        return stores.of(photos).address(photos)
    return f"file://{quote(os.fsencode(photos))}/"


def is_over(name: str, written: set[str]) -> bool:
    """Return whether a path relative to the output is a file of an earlier, longer page."""
    return _NUMBERED.match(name) is not None and name not in written


def leftovers(folder: str, written: set[str]) -> list[str]:
    """Return the URIs of the files that an earlier, longer page or a killed one left."""
    places = [Branch(path=storage.join(folder, path)) for path in (*FOLDERS, thumbnails.FOLDER)]
    return [
        file.uri
        for place in places
        for file in files(place, folder)
        if is_over(file.name, written) or local_files.is_unfinished(file.name)
    ]


def ordered(summary: Summary) -> list[tuple[str, int]]:
    """Return the outcomes, rejections last, each group from the most to the least frequent."""
    return sorted(summary.outcomes.items(), key=lambda item: (item[0] not in DONE, -item[1], item[0]))


def _asset(name: str) -> bytes:
    return (resources.files("pipelines") / "viewer" / "assets" / name).read_bytes()


def _call(function: str, *arguments: object) -> bytes:
    told = ",".join(json.dumps(argument, separators=(",", ":")) for argument in arguments)
    return f"autochrome.{function}({told});\n".encode("ascii")


def _shard(columns: Columns, names: list[str], words: SearchIndex) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the last 10,000 photos, which may be fewer."""
    number, contents = columns.taken()
    words.add(number, names)
    yield f"{FOLDER}/names/{number:05d}.js", _call("names", number, names)
    yield f"{FOLDER}/data/columns/{number:05d}.js", _call("columns", number, contents)


def _row(record: Record, there: Container[str]) -> dict[str, Any]:
    pairs = Sheet(record).pairs
    if record.outputs:
        shown = [_page(output, pair, there) for output, pair in zip(record.outputs, pairs, strict=True)]
    else:
        shown = [_present(pair, there) for pair in pairs]
    fields = {
        "name": record.name,
        "status": record.status,
        "reason": record.reason,
        "detail": record.detail,
        "format": record.format,
        "bytes": record.bytes,
        "uri": record.uri,
        "offset": record.offset,
        "model": record.model,
        "run": record.run,
        "warnings": list(record.warnings),
        "pages": shown,
    }
    return {name: value for name, value in fields.items() if value not in ("", None, 0, [])}


def _page(output: Output, pair: Pair, there: Container[str]) -> dict[str, Any]:
    fields = {
        "file": output.name,
        "page": output.page,
        "width": output.width,
        "height": output.height,
        "bytes": output.bytes,
        "tone": output.tone,
        "colourfulness": output.colourfulness,
        "picture": output.picture,
    }
    return {**{name: value for name, value in fields.items() if value not in ("", None)}, **_present(pair, there)}


def _present(pair: Pair, there: Container[str]) -> dict[str, str]:
    ids = {"before": pair.before, "after": pair.after}
    return {when: id_ for when, id_ in ids.items() if id_ and id_ in there}


def _told(summary: Summary, made_with: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcomes": [[key, number] for key, number in ordered(summary)],
        "rejected": summary.rejected,
        "inColour": summary.in_colour,
        "warned": summary.warned,
        "pages": summary.pages,
        "megapixels": round(summary.pixels / 1e6, 1),
        "bytesIn": summary.bytes_in,
        "bytesOut": summary.bytes_out,
        "tones": dict(sorted(summary.tones.items())),
        "seconds": [[stage, round(summary.milliseconds[stage] / 1e3, 2)] for stage in STAGES if summary.timed],
        "timed": summary.timed,
        "binWidth": BIN_WIDTH,
        "histogram": summary.histogram,
        "madeWith": made_with,
    }
