"""Write the page for browsing a colorized folder: one HTML file that a browser opens from disk, without a server.

    OUTPUT/index.html                   needs nothing but the files below
    OUTPUT/report/page.css, *.js        style and code, the same for every folder
    OUTPUT/report/index.js              the summary, and three columns for all photos: outcome, marks, colourfulness
    OUTPUT/report/names/00001.js        10,000 names each, loaded for a search
    OUTPUT/report/data/00001.js         100 records each, loaded when they are shown
    OUTPUT/report/thumbnails/…          see `pipelines.viewer.thumbnails`

Browsers refuse to fetch files for a page on disk, so the data are scripts that call a function of the page. They are
ASCII, with all other characters escaped. The page puts their contents into text nodes and never into markup. Equal
records give equal bytes.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import islice
from math import ceil
from typing import Any
from urllib.parse import quote

from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.files import cloud, storage
from pipelines.files.listings import Branch
from pipelines.files.sources import files
from pipelines.runtime.outcomes import DONE
from pipelines.viewer.summary import BIN_WIDTH, Summary, colourfulness_of, was_in_colour
from pipelines.viewer.thumbnails import Pair, Sheet

FILE = "index.html"
FOLDER = "report"
FOLDERS = (f"{FOLDER}/data", f"{FOLDER}/names")
RECORDS_PER_FILE = 100
NAMES_PER_FILE = 10_000
# The column of marks has one character per photo: the sum of these, as page.js reads it.
_IN_COLOUR, _WARNED = 1, 2
_ASSETS = ("page.css", "common.js", "figures.js", "viewer.js", "page.js")
_NUMBERED = re.compile(rf"{FOLDER}/(?:data|names)/\d{{5,}}\.js\Z")


def pages(
    records: Iterable[Record],
    summary: Summary,
    made_with: dict[str, Any],
    title: str,
    there: set[str],
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
    keys = [key for key, _ in ordered(summary)]
    code = {key: index for index, key in enumerate(keys)}
    outcomes: list[int] = []
    marks: list[str] = []
    colourfulness: list[int] = []
    names: list[str] = []
    rest = iter(records)
    for number, few in enumerate(iter(lambda: list(islice(rest, RECORDS_PER_FILE)), []), start=1):
        yield f"{FOLDER}/data/{number:05d}.js", _call("rows", number, [_row(record, there) for record in few])
        for record in few:
            value = colourfulness_of(record)
            outcomes.append(code[record.key])
            marks.append(str(_IN_COLOUR * was_in_colour(record) + _WARNED * bool(record.warnings)))
            colourfulness.append(-1 if value is None else round(10 * value))
            names.append(record.name)
        if len(names) >= NAMES_PER_FILE:
            yield _names(len(outcomes), names)
            names = []
    if names:
        yield _names(len(outcomes), names)
    index = {
        "title": title,
        "place": place,
        "photos": len(outcomes),
        "recordsPerFile": RECORDS_PER_FILE,
        "namesPerFile": NAMES_PER_FILE,
        "keys": keys,
        "done": DONE,
        "summary": _told(summary, made_with),
        "outcomes": outcomes,
        "marks": "".join(marks),
        "colourfulness": colourfulness,
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
        return f"https://storage.cloud.google.com/{quote(photos.removeprefix(cloud.SCHEME))}/"
    return f"file://{quote(os.fsencode(photos))}/"


def is_over(name: str, written: set[str]) -> bool:
    """Return whether a path relative to the output is a file of an earlier, longer page."""
    return _NUMBERED.match(name) is not None and name not in written


def leftovers(folder: str, written: set[str]) -> list[str]:
    """Return the URIs of the files that an earlier, longer page left."""
    places = [Branch(path=storage.join(folder, path)) for path in FOLDERS]
    return [file.uri for place in places for file in files(place, folder) if is_over(file.name, written)]


def ordered(summary: Summary) -> list[tuple[str, int]]:
    """Return the outcomes, rejections last, each group from the most to the least frequent."""
    return sorted(summary.outcomes.items(), key=lambda item: (item[0] not in DONE, -item[1], item[0]))


def _asset(name: str) -> bytes:
    return (resources.files("pipelines") / "viewer" / "assets" / name).read_bytes()


def _call(function: str, *arguments: object) -> bytes:
    told = ",".join(json.dumps(argument, separators=(",", ":")) for argument in arguments)
    return f"autochrome.{function}({told});\n".encode("ascii")


def _names(so_far: int, names: list[str]) -> tuple[str, bytes]:
    number = ceil(so_far / NAMES_PER_FILE)
    return f"{FOLDER}/names/{number:05d}.js", _call("names", number, names)


def _row(record: Record, there: set[str]) -> dict[str, Any]:
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


def _page(output: Output, pair: Pair, there: set[str]) -> dict[str, Any]:
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


def _present(pair: Pair, there: set[str]) -> dict[str, str]:
    ids = {"before": pair.before, "after": pair.after}
    return {when: id_ for when, id_ in ids.items() if id_ in there}


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
