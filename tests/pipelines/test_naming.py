import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.naming import Named, assign, family
from pipelines.sources import Source

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")

stems = st.sampled_from(["a", "A", "box/a", "a~2", "b.2", ".", "ß"])
ends = st.lists(st.sampled_from([".jpg", ".JPEG", ".png", ".tif", ".webp", ".bmp", "~2", ".png.png"]), max_size=2)
names = st.builds(lambda stem, parts: stem + "".join(parts), stems, ends)


def source(name: str, uri: str = "", offset: int | None = None) -> Source:
    return Source(uri or f"/scans/{name}", name, 1, "1-1", offset)


def outputs(named: list[Named], choice: tuple[str, ...]) -> list[str]:
    return [one.output(file_format).casefold() for one, file_format in zip(named, choice, strict=True)]


@given(st.lists(names, min_size=1, max_size=4))
def test_whatever_the_formats_no_two_photos_become_one_file(found):
    named = assign([source(name, f"/scans/{index}") for index, name in enumerate(found)])
    for choice in itertools.product(FORMATS, repeat=len(named)):
        assert len(set(outputs(named, choice))) == len(named)


@given(st.lists(names, min_size=2, max_size=2))
def test_photos_that_could_meet_are_of_one_family(found):
    one, other = (Named(source(name), name, name) for name in found)
    possible = [{name.casefold() for name in named.possible()} for named in (one, other)]
    if possible[0] & possible[1]:
        assert family(found[0]) == family(found[1])


@given(st.lists(names, min_size=1, max_size=5))
def test_every_file_is_of_the_family_of_its_photo(found):
    for named in assign([source(name, f"/scans/{index}") for index, name in enumerate(found)]):
        assert {family(name) for name in named.possible()} <= {family(named.source.name)}


@given(st.permutations(["a.bmp", "a.bmp.png", "A.bmp", "a.bmp.jpg"]))
def test_the_order_of_listing_decides_nothing(found):
    expected = {"A.bmp": "A.bmp~2.png", "a.bmp": "a~2.bmp.png", "a.bmp.jpg": "a.bmp.jpg", "a.bmp.png": "a.bmp.png"}
    named = assign([source(name) for name in found])
    written = {one.source.name: one.output("JPEG" if one.source.name.endswith("jpg") else "PNG") for one in named}
    assert written == expected


@pytest.mark.parametrize(
    ("name", "file_format", "expected"),
    [
        ("a.jpg", "JPEG", "a.jpg"),
        ("a.jpg", "PNG", "a.jpg.png"),
        ("box 1/scan.bmp", "PNG", "box 1/scan.bmp.png"),
        ("a.JPEG", "JPEG", "a.JPEG"),
        ("letter", "TIFF", "letter.tif"),
    ],
)
def test_a_photo_by_itself_keeps_its_name(name, file_format, expected):
    [named] = assign([source(name)])
    assert named.output(file_format) == expected
    assert named.has_its_name


def test_one_name_twice_in_a_tar():
    named = assign([source("x/a.jpg", "/scans/x.tar", offset) for offset in (5120, 512)])
    assert [(one.source.offset, one.output("JPEG")) for one in named] == [(512, "x/a.jpg"), (5120, "x/a~2.jpg")]
    assert [one.has_its_name for one in named] == [True, False]


def test_a_name_that_is_no_utf_8_has_a_family():
    broken = b"caf\xe9.jpg".decode(errors="surrogateescape")
    assert family(broken) == b"caf\xe9"
    assert family("Box/CAFÉ.jpg.PNG") == "box/café".encode()
