import csv
import io
import json

import pytest

from model.guidance.hints import Point
from pipelines.guidance import points

BLUE = Point(x=0.25, y=0.5, radius=0.1, rgb=(16, 32, 255))
TOLD = {"x": 0.25, "y": 0.5, "radius": 0.1, "color": "#1020ff"}


@pytest.mark.parametrize("content", [[TOLD], {"hints": [TOLD]}])
def test_points_of_a_photo_come_from_json(content):
    assert points.of_json(json.dumps(content).encode()) == (BLUE,)
    assert points.of_json(points.to_json([BLUE])) == (BLUE,)


def test_a_point_without_a_radius_has_the_default():
    [point] = points.of_json(b'[{"x": 0, "y": 1, "color": "#000000"}]')
    assert (point.radius, point.rgb) == (points.RADIUS, (0, 0, 0))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "it is neither PNG nor JSON"),
        (100_000 * b"[", "it is JSON that is nested too deep"),
        (b"3", "not a list of points"),
        (b"[3]", "not a list of points"),
        (b"[]", "it has 0 points"),
        (b'[{"x": 2, "y": 0, "color": "#000000"}]', "x must be a number from 0 to 1, not 2"),
        (b'[{"x": true, "y": 0, "color": "#000000"}]', "x must be"),
        (b'[{"x": NaN, "y": 0, "color": "#000000"}]', "x must be"),
        (b'[{"x": 0, "color": "#000000"}]', "y must be a number from 0 to 1, not None"),
        (b'[{"x": 0, "y": 0, "color": "blue"}]', "a color must be #rrggbb, not 'blue'"),
        (b'[{"x": 0, "y": 0, "color": "#000000", "page": 0}]', "page must be a whole number from 1, not 0"),
        (b'[{"x": 0, "y": 0, "color": "#000000", "page": 1.5}]', "page must be a whole number from 1, not 1.5"),
        (b'[{"x": 0, "y": 0, "color": "#000000", "page": true}]', "page must be"),
        (b'[{"x": 0, "y": 0, "colour": "#000000"}]', "colour is unknown; a point has x, y, radius, color, page"),
    ],
)
def test_broken_points_are_refused_with_what_is_wrong(data, message):
    with pytest.raises(ValueError, match=message):
        points.of_json(data)


def test_points_say_their_page_and_else_have_that_of_their_file():
    data = b'[{"x": 0, "y": 0, "color": "#000000"}, {"x": 0, "y": 0, "color": "#000000", "page": 3}]'
    assert [point.page for point in points.of_json(data)] == [1, 3]
    assert [point.page for point in points.of_json(data, 2)] == [2, 3]
    assert points.of_json(points.to_json(points.of_json(data))) == points.of_json(data)
    [point] = points.of_collection("h.csv", b"path,page,x,y,color\na.tif,2,0,0,#000000\n")["a.tif"]
    assert point.page == 2


def test_a_collection_is_csv_or_json_lines():
    text = "path,x,y,radius,color\nbox 1/a.tif,0.25,0.5,0.1,#1020FF\nb.tif,0,1,,#000000\n"
    lines = "\n".join(json.dumps(one) for one in ({"path": "box 1/a.tif", **TOLD}, {"path": "b.tif", **TOLD}))
    found = points.of_collection("hints.csv", b"\xef\xbb\xbf" + text.encode())
    assert found["box 1/a.tif"] == (BLUE,)
    assert found["b.tif"][0].radius == points.RADIUS
    assert points.of_collection("hints.jsonl", lines.encode()) == {"box 1/a.tif": (BLUE,), "b.tif": (BLUE,)}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_may_be_separated_as_lists_of_photos_may(delimiter):
    text = "path,x,y,radius,color\r\nbox 1/a.tif,0.25,0.5,0.1,#1020FF\r\n".replace(",", delimiter)
    assert points.of_collection("hints.csv", text.encode()) == {"box 1/a.tif": (BLUE,)}


def test_a_table_may_end_in_empty_columns_as_spreadsheets_write_them():
    text = "path,x,y,radius,color,,\r\nbox 1/a.tif,0.25,0.5,0.1,#1020FF,,\r\n"
    assert points.of_collection("hints.csv", text.encode()) == {"box 1/a.tif": (BLUE,)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("h.csv", "", "line 1: it has no column color"),
        ("h.csv", "path;x;y;color\na;0,5;0;#000000\n", "line 2: x must be a number from 0 to 1, not '0,5'"),
        ("h.csv", "path,x,y,x,color\na,0,0,1,#000000\n", "line 1: it has several columns named x"),
        ("h.csv", 'path,x,y,color\na,0,0,"#000000\nb,0,0,#000000\n', "line 2: it has a quote that is not closed"),
        ("h.csv", "path,x,y\n", "line 1: it has no column color"),
        ("h.csv", "path,x,y,color\na,0,0,#000000\na,0,0,red\n", "line 3: a color must be"),
        ("h.csv", "path,x,y,color\na,0,0,#000000,5\n", "line 2: it has more values than columns"),
        ("h.csv", "path,x,y,color\n,0,0,#000000\n", "line 2: path is missing"),
        ("h.csv", "path,x,y,color,page\na.tif,0,0,#000000,0\n", "line 2: page must be a whole number from 1, not '0'"),
        ("h.jsonl", "\n{\n", "line 2: it is not JSON"),
        ("h.jsonl", "[]\n", "line 1: it is not an object"),
        ("h.jsonl", 5000 * "[" + "\n", "line 1: it is not JSON"),
        ("h.jsonl", '{"path": "..", "x": 0, "y": 0, "color": "#000000"}\n', "line 1: path is missing"),
    ],
)
def test_a_broken_line_of_a_collection_is_named(name, text, message):
    with pytest.raises(ValueError, match=message):
        points.of_collection(name, text.encode())


def test_photos_are_named_as_they_are_on_the_disk_whatever_their_names_hold():
    names = ["a\u2028b.jpg", "a\x85b.jpg", "a\x0cb.jpg", "two\nlines.jpg", "./box//c.jpg"]
    points_ = [{"path": name, "x": 0, "y": 0, "color": "#000000"} for name in names]
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in points_)
    table = io.StringIO()
    writer = csv.DictWriter(table, ["path", "x", "y", "color"])
    writer.writeheader()
    writer.writerows(points_)
    known = {"a\u2028b.jpg", "a%C2%85b.jpg", "a%0Cb.jpg", "two%0Alines.jpg", "box/c.jpg"}  # as in records
    assert set(points.of_collection("h.jsonl", lines.encode())) == known
    assert set(points.of_collection("h.csv", table.getvalue().encode())) == known


def test_a_collection_in_another_encoding_is_refused_in_plain_words():
    with pytest.raises(ValueError, match="it is not text in UTF-8"):
        points.of_collection("h.csv", "path,x,y,color\n".encode("utf-16"))
