import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.archive.naming import LOCAL, NamedSource, assign, folders, without_page
from pipelines.archive.written_names import Rules, folded
from pipelines.files.sources import Source

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
COPIED = ("JPEG", "GIF", "BMP", "ZIP")
TIGHT = Rules(part=64, whole=100)

# Names that meet: each is another one with something added to it, or as some file system compares it.
stems = st.sampled_from(["a", "A", "a~2", "box/a", "Box/A", "ä", "a\u0308", "a ", "a.png/a", "ß", "SS", ".", "a" * 60])
ends = st.lists(
    st.sampled_from(
        [".jpg", ".JPEG", ".png", ".tif", ".webp", ".bmp", ".gif", "~2", "~3", ".p001", ".p002", ".", "/b"]
    ),
    max_size=4,
)
names = st.builds(lambda stem, parts: stem + "".join(parts), stems, ends)


def source(name: str, uri: str = "", offset: int | None = None) -> Source:
    return Source(uri=uri or f"/scans/{name}", name=name, size=1, fingerprint="1-1", offset=offset)


def files(named: NamedSource) -> list[str]:
    """All files that a photo may become, whatever its format, and however many pages it has."""
    paged = [named.output(format_, index, 1001) for format_ in FORMATS for index in (0, 1, 1000)]
    single = [named.output(format_) for format_ in FORMATS]
    return [*single, *paged, *(map(named.copy, COPIED) if named.copies else ())]


def families(sources: list[Source], rules: Rules, *, copies: bool) -> list[NamedSource]:
    """What becomes of photos that are grouped as the job groups them."""
    keys: dict[bytes, tuple[list[Source], set[str]]] = {}
    for one in sources:
        keys.setdefault(rules.key(one.name), ([], set()))[0].append(one)
        for folder in folders(one.name, rules):
            keys.setdefault(rules.key(folder), ([], set()))[1].add(folder)
    return [named for photos, closed in keys.values() for named in assign(photos, rules, folders=closed, copies=copies)]


@settings(max_examples=200)
@given(st.lists(names, min_size=1, max_size=6), st.sampled_from([LOCAL, TIGHT]), st.booleans())
@example(["a" * 60 + ". .", "a" * 60 + ". ."], TIGHT, False)
@example(["a" * 60 + ".p001", "a" * 60 + ".p001"], TIGHT, False)
def test_whatever_the_formats_no_two_photos_become_one_file(found, rules, copies):
    sources = [source(name, f"/scans/{index}") for index, name in enumerate(found)]
    owners: dict[str, NamedSource] = {}
    for named in families(sources, rules, copies=copies):
        for file in files(named):
            assert owners.setdefault(folded(file), named) is named
    parents = {folded(file).rpartition("/")[0] for named in owners.values() for file in files(named)}
    assert parents.isdisjoint(owners)


@given(st.lists(names, min_size=1, max_size=5), st.sampled_from([LOCAL, TIGHT]))
def test_every_file_is_known_to_be_its_photo_s(found, rules):
    sources = [source(name, f"/scans/{index}") for index, name in enumerate(found)]
    for named in families(sources, rules, copies=True):
        possible = set(named.possible())
        for file in files(named):
            assert {file, without_page(file)} & possible
            assert rules.key(file) == rules.key(named.source.name)


@given(st.lists(names, min_size=1, max_size=6), st.randoms())
def test_the_order_of_listing_decides_nothing_whatever_the_names(found, random):
    sources = [source(name, f"/scans/{index}") for index, name in enumerate(found)]
    shuffled = random.sample(sources, len(sources))
    assert set(families(sources, LOCAL, copies=False)) == set(families(shuffled, LOCAL, copies=False))


@pytest.mark.parametrize(
    ("found", "pages", "expected"),
    [
        (["scan.bmp", "scan.bmp.png"], 1, ["scan.bmp~2.png", "scan.bmp.png"]),
        # What was given to a photo because its own name was taken is taken as well.
        (["scan.bmp", "scan.bmp.png", "scan.bmp~2"], 1, ["scan.bmp~2.png", "scan.bmp.png", "scan.bmp~2~2.png"]),
        (["scan.bmp~2", "scan.bmp", "scan.bmp.tif"], 1, ["scan.bmp~2~2.png", "scan.bmp~2.png", "scan.bmp.tif.png"]),
        (["t.gif", "t.gif.p001.png"], 2, ["t.gif~2.p001.png", "t.gif.p001.png.p001.png"]),
        (["t.gif", "t.gif.p001"], 2, ["t.gif~2.p001.png", "t.gif.p001.p001.png"]),
        (["t.gif", "t.gif.p1", "t.gif~2.p002"], 2, ["t.gif.p001.png", "t.gif.p1.p001.png", "t.gif~2.p002.p001.png"]),
        (["Zürich.jpg", "Zu\u0308rich.jpg"], 1, ["Zürich~2.jpg.png", "Zu\u0308rich.jpg.png"]),
        (["a.jpg", "A.JPG "], 1, ["a~2.jpg.png", "A.JPG .png"]),
    ],
)  # fmt: skip
def test_clashes_and_who_keeps_the_name(found, pages, expected):
    named = {one.source.name: one for one in assign([source(name) for name in found])}
    assert [named[name].output("PNG", 0, pages) for name in found] == expected


def test_a_file_never_gets_the_name_of_a_folder():
    [(named)] = assign([source("a")], folders=["A.png"])
    assert [named.output(format_) for format_ in FORMATS] == ["a~2.jpg", "a~2.png", "a~2.tif", "a~2.webp"]
    [(named)] = assign([source("a.png", offset=512)], folders=["a.png"])
    assert named.output("PNG") == "a~2.png"
    assert list(folders("x/a.PNG/b.jpg/c.jpg")) == ["x/a.PNG/b.jpg", "x/a.PNG"]
    assert list(folders("box 1/c.jpg")) == []


def test_a_copy_has_the_extension_of_its_format():
    [named] = assign([source("manifest.jsonl")], copies=True)
    assert [named.copy(format_) for format_ in ("JPEG", "JPEG2000", "ZIP")] == [
        "manifest.jsonl.jpg", "manifest.jsonl.jp2", "manifest.jsonl.img",
    ]  # fmt: skip
    [named] = assign([source("a.JPE")], copies=True)
    assert [named.copy(format_) for format_ in ("JPEG", "MPO", "GIF")] == ["a.JPE", "a.JPE", "a.JPE.gif"]
    meet = {one.source.name: one for one in assign([source("a"), source("a.gif")], copies=True)}
    assert [meet["a"].copy("GIF"), meet["a.gif"].copy("GIF")] == ["a~2.gif", "a.gif"]


def test_a_thousand_photos_of_one_name_take_no_time():
    named = assign([source("a.jpg", "/scans/x.tar", offset) for offset in range(20_000)])
    assert len({one.output("JPEG") for one in named}) == len(named)


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
