import pytest

from pipelines.images import xmp_properties
from pipelines.images.png_texts import Text
from pipelines.images.xmp_properties import Property


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Mon, 01 May 1911 10:00:00 +0100", "1911-05-01T10:00:00+01:00"),
        ("1911:05:01 10:00:00", "1911-05-01T10:00:00"),
        ("1911:05:01", "1911-05-01"),
        ("1911-05-01T10:00:00Z", "1911-05-01T10:00:00+00:00"),
        ("1911-05", "1911-05"),
        (" 1911 ", "1911"),
        ("in May, after the flood", None),
    ],
)
def test_a_time_of_creation_is_read_in_each_usual_form(text, date):
    found = list(xmp_properties.of_texts([Text(keyword="creation time", text=text)]))
    dates = [one.values[0] for one in found if one.name]
    assert dates == ([date] * 2 if date else [])
    assert {one.name for one in found if one.name} <= {"photoshop:DateCreated", "xmp:CreateDate"}
    assert [one.values for one in found if not one.name] == ([] if date == text.strip() else [(text,)])


def entry(number: int, value: bytes, record: int = 2) -> bytes:
    return bytes([0x1C, record, number]) + len(value).to_bytes(2) + value


def test_iptc_becomes_the_properties_that_iptc_names():
    records = [(0, b"\0\4"), (25, b"street"), (25, b"snow"), (55, b"19110501"), (60, b"100000+0100"), (80, b"Grete")]
    found = list(
        xmp_properties.of_iptc(b"".join(entry(*one) for one in [*records, (120, b"Stra\xdfe"), (65, b"ScanSoft")]))
    )
    assert found == [
        Property(name="photoshop:DateCreated", values=("1911-05-01T10:00:00+01:00",), label="IPTC 2:55"),
        Property(name="dc:subject", values=("street", "snow"), form="bag", label="IPTC 2:25"),
        Property(name="dc:creator", values=("Grete",), form="seq", label="IPTC 2:80"),
        Property(name="dc:description", values=("Straße",), form="alt", label="IPTC 2:120"),
        Property(name="", values=("ScanSoft",), label="IPTC 2:65"),
    ]


@pytest.mark.parametrize(("day", "date"), [(b"19110500", "1911-05"), (b"19110000", "1911"), (b"May 1911", "May 1911")])
def test_a_day_that_is_not_known_is_left_out(day, date):
    assert [one.values for one in xmp_properties.of_iptc(entry(55, day))] == [(date,)]


def test_records_that_have_no_text_are_not_complete():
    assert xmp_properties.is_complete(entry(120, b"Road") + entry(90, b"\x1b%G", 1))
    assert not xmp_properties.is_complete(entry(202, b"preview"))
    assert not xmp_properties.is_complete(entry(10, b"data", 7))
