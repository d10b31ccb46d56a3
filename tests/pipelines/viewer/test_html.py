import json
import re
from dataclasses import replace

import pytest
from colorized_folder import HOSTILE, colorized

from pipelines.archive.manifest import Record
from pipelines.viewer import html
from pipelines.viewer.summary import Summary

CALL = re.compile(r"autochrome\.(\w+)\((.*)\);\n", re.ASCII)


def called(data: bytes) -> tuple[str, list]:
    """What a file of data calls, and with what; it is one call and nothing else."""
    match = CALL.fullmatch(data.decode("ascii"))
    return match[1], json.loads(f"[{match[2]}]")


def made(records: list[Record], there: set[str] = frozenset()) -> dict[str, bytes]:
    ordered = sorted(records, key=lambda record: record.name)
    return dict(html.pages(ordered, Summary.of(ordered), {"model": "unet"}, "a folder", set(there)))


@pytest.fixture(scope="module")
def records(tmp_path_factory, photos) -> list[Record]:
    return colorized(tmp_path_factory.mktemp("page"), photos).records


def test_every_record_is_in_the_data_in_order_of_name(records):
    files = made(records)
    function, (number, rows) = called(files["report/data/00001.js"])
    assert (function, number) == ("rows", 1)
    assert [row["name"] for row in rows] == sorted(record.name for record in records)
    assert called(files["report/names/00001.js"]) == ("names", [1, [row["name"] for row in rows]])


def test_the_index_counts_what_the_columns_have(records):
    files = made(records)
    [index] = called(files["report/index.js"])[1]
    function, (number, columns) = called(files["report/data/columns/00001.js"])
    assert (function, number) == ("columns", 1)
    ordered = sorted(records, key=lambda record: record.name)
    assert index["photos"] == 14
    assert [index["keys"][code] for code in columns["outcomes"]] == [record.key for record in ordered]
    in_colour = [record.name for record, mark in zip(ordered, columns["marks"], strict=True) if int(mark) & 1]
    warned = [record.name for record, mark in zip(ordered, columns["marks"], strict=True) if int(mark) & 2]
    assert in_colour == ["box 2/postcard.jpg", "box 2/slide.jpg"]
    assert warned == ["caf\udce9.png"]
    assert dict(zip(index["keys"], index["counts"]["outcomes"], strict=True)) == {
        key: [number] for key, number in index["summary"]["outcomes"]
    }
    assert (index["counts"]["inColour"], index["counts"]["warned"]) == ([2], [1])
    assert sum(number for _, number in index["summary"]["outcomes"]) == index["photos"]
    assert index["summary"]["madeWith"] == {"model": "unet"}
    assert index["title"] == "a folder"
    for number, sign in ((1, -1), (2, 1)):
        [_, ranked] = called(files[f"report/data/ranked/{number:05d}.js"])[1]
        shown = [sign * ordered[place].outputs[0].colourfulness for place in ranked]
        assert len(ranked) == 10
        assert ranked == [place for _, place in sorted(zip(shown, ranked, strict=True))]


def test_what_opens_the_page_does_not_grow_with_the_photos(records):
    sizes = []
    for photos in (10_000, 60_000):
        many = (replace(records[0], name=f"{number:06d}.jpg") for number in range(photos))
        summary = Summary()
        summary.outcomes.update({"written": photos})
        [index] = [data for name, data in html.pages(many, summary, {}, "many", set()) if name == "report/index.js"]
        sizes.append(len(index))
    assert sizes[1] - sizes[0] < 200


def test_the_picture_within_a_border_is_in_the_data(records):
    plain = next(record for record in records if record.outputs)
    framed = replace(plain, outputs=(replace(plain.outputs[0], picture=(4, 5, 60, 70)),))
    for record, picture in ((framed, [4, 5, 60, 70]), (plain, None)):
        [_, [row]] = called(made([record])["report/data/00001.js"])[1]
        assert row["pages"][0].get("picture") == picture


def test_thumbnails_that_are_not_there_are_not_named(records):
    there = {"ab" * 10}
    [_, rows] = called(made(records, there)["report/data/00001.js"])[1]
    assert not any("before" in shown or "after" in shown for row in rows for shown in row.get("pages", []))


def test_photos_are_spread_over_files(records):
    many = [replace(records[0], name=f"{number:06d}.jpg") for number in range(html.NAMES_PER_FILE + 1)]
    files = made(many)
    data = sorted(name for name in files if re.fullmatch(r"report/data/\d+\.js", name))
    assert data == [f"report/data/{number:05d}.js" for number in range(1, len(data) + 1)]
    assert len(data) == html.NAMES_PER_FILE // html.RECORDS_PER_FILE + 1
    for place in (0, 99, 100, 5050, html.NAMES_PER_FILE):
        number, rows = called(files[f"report/data/{place // 100 + 1:05d}.js"])[1]
        assert number == place // 100 + 1
        assert rows[place % 100]["name"] == many[place].name
    assert len(called(files["report/names/00001.js"])[1][1]) == html.NAMES_PER_FILE
    assert called(files["report/names/00002.js"])[1] == [2, [many[-1].name]]


def test_a_whole_number_of_names_makes_no_empty_file(records):
    many = [replace(records[0], name=f"{number:06d}.jpg") for number in range(html.NAMES_PER_FILE)]
    files = made(many)
    assert [name for name in files if "/names/" in name] == ["report/names/00001.js"]
    assert [name for name in files if "/columns/" in name] == ["report/data/columns/00001.js"]


def test_an_empty_folder_has_a_page():
    files = made([])
    assert called(files["report/index.js"])[1][0]["photos"] == 0
    assert html.FILE in files


def test_equal_records_give_equal_bytes_and_the_page_comes_last(records):
    assert made(records) == made(records[::-1])
    assert list(made(records))[-1] == html.FILE == "index.html"


def test_nothing_outside_the_folder_is_asked_for(records):
    for name, data in made(records).items():
        if name.endswith((".html", ".css")):
            assert b"//" not in data.replace(b"https://schema", b"")
    document = made(records)[html.FILE].decode()
    linked = re.findall(r'(?:src|href)="([^"]+)"', document)
    assert set(linked) - {"data:,"} <= set(made(records))


def test_texts_of_the_folder_are_in_no_markup(records):
    files = made(records)
    assert HOSTILE.encode() not in files[html.FILE]
    for name, data in files.items():
        if "/data/" not in name and "/names/" not in name:
            assert b'onerror="' not in data
    for asset in ("common.js", "figures.js", "choosing.js", "viewer.js", "page.js"):
        assert not re.search(
            rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", files[f"report/{asset}"]
        )


def test_what_an_earlier_longer_page_left(tmp_path):
    over = ("data/00002.js", "data/columns/00002.js", "names/00002.js", "names/words/00002.js")
    over += ("thumbnails/9f/.3a.jpg.0123456789abcdef0123456789abcdef.part",)
    for name in ("data/00001.js", *over, "data/mine.js", "data/scan.jpg", "data/mine/00002.js"):
        path = tmp_path / "report" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    left = html.leftovers(str(tmp_path), {"report/data/00001.js"})
    assert sorted(left) == [str(tmp_path / "report" / name) for name in over]
