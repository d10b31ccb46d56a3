from dataclasses import replace

import pytest
from colorized_folder import colorized
from hypothesis import given
from hypothesis import strategies as st

from pipelines.archive.manifest import Output, Record
from pipelines.viewer.summary import EXTREMES, Rank, Summary, colourfulness_of, was_in_colour

OUTPUT = Output(
    name="a.jpg", page=1, width=640, height=480, bytes=1000, sha256="9f", tone="grayscale", colourfulness=31.2
)
RECORD = Record(
    name="a.jpg", uri="/scans/a.jpg", offset=None, fingerprint="7-1", status="written", bytes=7, outputs=(OUTPUT,)
)


def test_a_folder_by_hand(tmp_path, photos):
    folder = colorized(tmp_path, photos)
    summary = Summary.of(folder.records)
    assert summary.outcomes == {"written": 9, "kept": 1, "copied": 1, "skipped": 1, "unreadable": 1, "too_large": 1}
    assert summary.outcomes.total() == summary.inputs == 14
    assert (summary.rejected, summary.in_colour, summary.warned, summary.pages) == (2, 2, 1, 12)
    names = [*photos, "chelsea", "coffee", "coffee", "rocket", "rocket", "astronaut", "coffee", "coffee"]
    assert summary.pixels == sum(photos[name].shape[0] * photos[name].shape[1] for name in names)
    written = [path for path in folder.output.rglob("*") if path.is_file()]
    assert summary.bytes_out == sum(path.stat().st_size for path in written)
    assert summary.tones == {"grayscale": 11, "color": 1}
    assert summary.timed == 14
    assert summary.milliseconds["write"] == 14 * 60
    assert sum(summary.histogram) == 10
    assert summary.examples == [("caf\udce9.png", "name is no <b>UTF-8</b>")]


@given(st.lists(st.none() | st.floats(0, 150), max_size=40))
def test_the_extremes_are_those_of_all(values):
    records = [
        replace(RECORD, name=f"{number:03d}", outputs=(replace(OUTPUT, colourfulness=value),))
        for number, value in enumerate(values)
    ]
    summary = Summary.of(records)
    ranks = [Rank(value, f"{number:03d}") for number, value in enumerate(values) if value is not None]
    assert summary.most == sorted(ranks, key=lambda rank: (-rank.colourfulness, rank.name))[:EXTREMES]
    assert summary.least == sorted(ranks)[:EXTREMES]
    assert sum(summary.histogram) == len(ranks)


@pytest.mark.parametrize(
    ("status", "tones", "was"),
    [
        ("written", ["toned"], False),
        ("written", ["grayscale", "color"], True),
        ("copied", ["color"], True),
        ("skipped", [], True),
        ("rejected", [], False),
        ("kept", [""], False),
    ],
)
def test_what_was_in_colour(status, tones, was):
    record = replace(RECORD, status=status, outputs=tuple(replace(OUTPUT, tone=tone) for tone in tones))
    assert was_in_colour(record) is was


def test_of_several_pages_the_most_colourful_counts():
    pages = [replace(OUTPUT, page=page, colourfulness=value) for page, value in enumerate([3.0, None, 9.5], start=1)]
    assert colourfulness_of(replace(RECORD, outputs=tuple(pages))) == 9.5
    assert colourfulness_of(replace(RECORD, outputs=())) is None


def test_pages_of_one_file_share_its_bytes():
    pages = (OUTPUT, replace(OUTPUT, page=2), replace(OUTPUT, name="a-3.jpg", page=3))
    assert Summary.of([replace(RECORD, outputs=pages)]).bytes_out == 2000
