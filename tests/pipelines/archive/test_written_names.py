import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from power import recorded

from pipelines import cli
from pipelines.archive.written_names import OWN, Rules, folded
from pipelines.files.local_files import is_unfinished

LOCAL = Rules()
BUCKET = Rules.of("gs://bucket/colour")
# Short enough to be passed in a test, and longer than a mark and what may stand behind it.
TIGHT = Rules(part=64, whole=100)
TIGHT_BUCKET = Rules(utf_8=True, part=0, whole=100)

parts = st.text(st.sampled_from("aÄ\u0308ß%.~ x\udce9\u200d1"), min_size=1, max_size=70).filter(lambda p: p.strip("."))
names = st.lists(parts, min_size=1, max_size=3).map("/".join)
added = st.sampled_from(["", ".png", "~2.tif", ".p001.png", ".p1000.webp", "~12.p001.jpg", ".gif"])


@given(names, added, st.sampled_from([LOCAL, BUCKET, TIGHT, TIGHT_BUCKET]))
def test_every_name_fits_its_store(name, addition, rules):
    path = rules.fit(rules.placed(name) + addition)
    data = path.encode("utf-8", "strict" if rules.utf_8 else "surrogateescape")
    assert len(data) <= rules.whole
    assert not rules.part or all(len(part) <= rules.part for part in data.split(b"/"))
    assert all(path.split("/"))
    assert path.endswith(addition)


@given(names, added, st.sampled_from([LOCAL, BUCKET, TIGHT, TIGHT_BUCKET]))
def test_a_photo_and_all_that_it_may_become_have_one_key(name, addition, rules):
    placed = rules.placed(name)
    assert rules.key(placed) == rules.key(name)
    assert rules.key(rules.fit(placed + addition)) == rules.key(name)
    assert rules.placed(rules.fit(placed)) == rules.fit(placed)


@given(names, st.sampled_from([LOCAL, TIGHT]))
def test_names_that_a_file_system_takes_for_one_have_one_key(name, rules):
    for other in (name.upper(), unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
        if folded(other) == folded(name) and all(
            len(part.encode("utf-8", "surrogateescape")) < 60 for part in (name, other)
        ):
            assert rules.key(other) == rules.key(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Box/A.jpg", "box/a.jpg"),
        ("Zürich.jpg", "Zu\u0308rich.jpg"),
        ("Straße.jpg", "STRASSE.jpg"),
        ("a .jpg. ", "a .jpg"),
        ("box. /a.jpg", "box/a.jpg"),
        ("so\u00adft.jpg", "soft.jpg"),
    ],
)
def test_what_the_least_particular_file_system_takes_for_one_name(one, other):
    assert folded(one) == folded(other)


def test_other_names_differ():
    found = ["a.jpg", "a.jpeg", "box/a.jpg", "box a.jpg", "ä.jpg", "..", "...", "a..jpg", "\udce9", "\udce8"]
    assert len(set(map(folded, found))) == len(found)


@pytest.mark.parametrize(
    "name", ["a.jpg", "box 1/50%/ü.bmp", "caf\udce9.jpg", "x" * 251 + ".jpg", "a/manifest/b", "reports/a"]
)
def test_a_name_without_fault_is_kept(name):
    assert LOCAL.fit(LOCAL.placed(name)) == name


@pytest.mark.parametrize("own", OWN)
def test_no_photo_lies_where_the_job_itself_writes(own):
    expected = f"{own}~2/a.jpg"
    assert LOCAL.placed(f"{own}/a.jpg") == expected
    assert folded(LOCAL.placed(f"{own.upper()}/a.jpg")) == folded(expected)
    assert LOCAL.placed(f"box/{own}/a.jpg") == f"box/{own}/a.jpg"


def test_long_names_are_cut_at_a_whole_character_and_marked():
    path = LOCAL.fit("box/" + "ü" * 200 + ".bmp.png")
    beginning, mark, end = path.rpartition("~x")
    assert (beginning, mark, end[16:]) == ("box/" + "ü" * 98, "~x", ".bmp.png")
    assert LOCAL.fit("box/" + "ü" * 201 + ".bmp.png") != path
    # Whatever the case: file systems that ignore it would make one file of the two.
    assert LOCAL.fit("Box/" + "Ü" * 200 + ".bmp.png").rpartition("~x")[2] == end


def test_a_bucket_has_room_for_its_folder():
    assert BUCKET.whole == 1024 - len("colour/")
    assert Rules.of("gs://bucket").whole == 1024
    assert BUCKET.fit("a/" * 500 + "b.jpg") == "a/" * 500 + "b.jpg"
    assert len(BUCKET.fit("a/" * 600 + "b.jpg")) <= BUCKET.whole


@pytest.mark.parametrize("text", ["~1", ".p000", ".jpg", "~", ".", " ", "x"])
def test_a_name_of_many_characters_takes_no_time(text):
    for name in (text * 50_000, text * 50_000 + "x.jpg"):
        assert len(LOCAL.fit(LOCAL.placed(name)).encode()) <= 255


def test_every_file_of_the_job_and_of_the_report_is_reserved(tmp_path, photos, encoded, saved_model_dir):
    """Also those that are gone at the end, such as the lease and the journal."""
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    output.mkdir()
    (folder / "a.jpg").write_bytes(encoded(photos["coffee"][:64, :64], "JPEG"))
    (folder / "b.jpg").write_bytes(b"broken")
    with recorded(output) as recorder:
        flags = [f"--input={folder}", f"--output={output}", f"--model={saved_model_dir}"]
        assert cli.main(["colorize", *flags]) == 0
        assert cli.main(["report", str(output)]) == 0
    seen = {name for world in recorder.worlds for name in world if not is_unfinished(name)}
    assert {"manifest/lease.json", "report/page.css", "report/index.js", "report/data/00001.js", "index.html"} <= seen
    assert [name for name in seen if name.startswith("manifest/journal/")]
    for name in seen - {"a.jpg"}:
        assert Rules().placed(f"{name}/a.jpg") != f"{name}/a.jpg", name
    # What lies beside them in the folders of the report is a photo's own business.
    assert Rules().placed("report/a.jpg") == "report/a.jpg"
