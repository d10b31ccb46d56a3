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


def test_the_columns_of_the_index_are_those_of_the_records(records):
    [index] = called(made(records)["report/index.js"])[1]
    ordered = sorted(records, key=lambda record: record.name)
    assert index["photos"] == 14
    assert [index["keys"][code] for code in index["outcomes"]] == [record.key for record in ordered]
    in_colour = [record.name for record, mark in zip(ordered, index["marks"], strict=True) if int(mark) & 1]
    warned = [record.name for record, mark in zip(ordered, index["marks"], strict=True) if int(mark) & 2]
    assert in_colour == ["box 2/postcard.jpg", "box 2/slide.jpg"]
    assert warned == ["caf\udce9.png"]
    measured = [record.outputs[0].colourfulness if record.outputs else None for record in ordered]
    assert index["colourfulness"] == [-1 if value is None else round(10 * value) for value in measured]
    assert sum(number for _, number in index["summary"]["outcomes"]) == index["photos"]
    assert index["summary"]["madeWith"] == {"model": "unet"}
    assert index["title"] == "a folder"


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
    data = sorted(name for name in files if "/data/" in name)
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
    assert [name for name in made(many) if "/names/" in name] == ["report/names/00001.js"]


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
    for asset in ("common.js", "figures.js", "viewer.js", "page.js"):
        assert not re.search(
            rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", files[f"report/{asset}"]
        )


def test_what_an_earlier_longer_page_left(tmp_path):
    for name in ("data/00001.js", "data/00002.js", "names/00002.js", "data/mine.js", "data/scan.jpg"):
        path = tmp_path / "report" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    left = html.leftovers(str(tmp_path), {"report/data/00001.js"})
    assert sorted(left) == [str(tmp_path / "report" / name) for name in ("data/00002.js", "names/00002.js")]
