"""Read points of colour from text: JSON beside one photo, and CSV or JSON Lines for a collection."""

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from model.guidance.hints import Point
from pipelines.files import safe_names

PNG = b"\x89PNG"
"""What a hint file that is a picture begins with; any other holds points."""
MOST_POINTS = 10_000
"""The number of points that a photo may have."""
RADIUS = 0.01
"""The radius of a point that names none."""
_FIELDS = ("x", "y", "radius", "color", "page")
_HEX = re.compile(r"#([0-9a-fA-F]{6})\Z")


def rgb_of(text: Any) -> tuple[int, int, int]:
    """Return the colour of a text ``#rrggbb``.

    Raises:
        ValueError: it is another text.
    """
    found = _HEX.match(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"a color must be #rrggbb, not {text!r}")
    red, green, blue = bytes.fromhex(found[1])
    return red, green, blue


def of_json(data: bytes, page: int = 1) -> tuple[Point, ...]:
    """Return the points of a JSON file: a list of them, or an object whose ``hints`` is that list.

    Args:
        data: of the file.
        page: of points that name none.

    Raises:
        ValueError: it is something else, or has no point or too many; says what.
    """
    try:
        content = json.loads(data)
    except ValueError as error:
        raise ValueError(f"it is neither PNG nor JSON ({error})") from error
    except RecursionError as error:
        raise ValueError("it is JSON that is nested too deep") from error
    found = content.get("hints") if isinstance(content, dict) else content
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("it is not a list of points")
    if not 1 <= len(found) <= MOST_POINTS:
        raise ValueError(f"it has {len(found):,} points; 1 to {MOST_POINTS:,} are possible")
    return tuple(_point(one, page) for one in found)


def to_json(points: Iterable[Point]) -> bytes:
    """Return the JSON that `of_json` reads; equal points give equal bytes."""
    told = [
        {"x": point.x, "y": point.y, "radius": point.radius, "color": "#" + bytes(point.rgb).hex()}
        | ({"page": point.page} if point.page != 1 else {})
        for point in points
    ]
    return json.dumps(told).encode()


def of_collection(name: str, data: bytes) -> dict[str, tuple[Point, ...]]:
    """Return the points of each photo that a file names, in the order of its lines.

    Args:
        name: of the file; ``.csv`` has a line with the names of the columns, anything else is JSON Lines.
        data: of the file, in UTF-8.

    Raises:
        ValueError: a line is broken; says which and why.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    found: defaultdict[str, list[Point]] = defaultdict(list)
    for line, fields in _csv_lines(text) if name.lower().endswith(".csv") else _json_lines(text):
        named = fields.pop("path", "")
        path = safe_names.relative(named) if isinstance(named, str) else ""  # as photos are named
        try:
            if not path:
                raise ValueError("path is missing")
            found[path].append(_point(fields))
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from error
        if len(found[path]) > MOST_POINTS:
            raise ValueError(f"line {line}: {path} has more than {MOST_POINTS:,} points")
    return {path: tuple(points) for path, points in found.items()}


def _csv_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    columns, delimiter = _header(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    read = 0
    try:
        for row in reader:
            read = reader.line_num
            if read > 1 and row:
                if len(row) > len(columns):
                    raise ValueError(f"line {read}: it has more values than columns")
                yield read, {column: value for column, value in zip(columns, row, strict=False) if value}
    except csv.Error as error:
        what = "a quote that is not closed, or text behind a closing quote"
        raise ValueError(f"line {read + 1}: it has {what} ({error})") from error


def _header(text: str) -> tuple[list[str], str]:
    """Return the columns of a table, and what separates them: as in lists of photos, a comma, semicolon or tab."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    columns = next(csv.reader([first], delimiter=delimiter, skipinitialspace=True), [])
    if missing := {"path", "x", "y", "color"} - set(columns):
        raise ValueError(f"line 1: it has no column {min(missing)}; the columns are path, x, y, radius, color, page")
    if several := [column for column in columns if column and columns.count(column) > 1]:
        raise ValueError(f"line 1: it has several columns named {several[0]}; keep one")
    return columns, delimiter


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):  # names may hold other line breaks
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: it is not JSON") from error
        if not isinstance(fields, dict):
            raise ValueError(f"line {number}: it is not an object")
        yield number, fields


def _point(fields: dict[str, Any], page: int = 1) -> Point:
    if unknown := fields.keys() - set(_FIELDS):
        raise ValueError(f"{min(unknown)} is unknown; a point has {', '.join(_FIELDS)}")
    values = {name: _share(name, fields.get(name)) for name in ("x", "y")}
    radius = _share("radius", fields.get("radius", RADIUS))
    page = _page(fields.get("page", page))
    return Point(x=values["x"], y=values["y"], radius=radius, rgb=rgb_of(fields.get("color")), page=page)


def _page(value: Any) -> int:
    if re.fullmatch(r"[1-9]\d{0,5}", str(value)) is None:
        raise ValueError(f"page must be a whole number from 1, not {value!r}")
    return int(value)


def _share(name: str, value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")
    return number
