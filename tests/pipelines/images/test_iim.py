from pipelines.images import iim

LATIN = b"\x1c\x02\x5a\0\4K\xf6ln"
UTF8 = b"\x1c\x01\x5a\0\3\x1b%G" + b"\x1c\x02\x5a\0\5K\xc3\xb6ln"
LONG = b"\x1c\x02\x78\x80\x04" + (70_000).to_bytes(4) + b"x" * 70_000


def test_entries_are_found_in_either_length():
    assert list(iim.records(LATIN + LONG)) == [(2, 90, b"K\xf6ln"), (2, 120, b"x" * 70_000)]
    assert list(iim.records(LATIN + LONG[:-1])) == [(2, 90, b"K\xf6ln")]
    assert list(iim.records(b"") or iim.records(b"no records")) == []


def test_text_is_utf_8_or_latin_1():
    assert list(iim.texts(LATIN)) == [(2, 90, "Köln")]
    assert list(iim.texts(UTF8))[1:] == [(2, 90, "Köln")]
    assert list(iim.texts(UTF8[8:])) == [(2, 90, "Köln")]


def test_the_zeros_behind_the_last_entry_go_and_nothing_else():
    assert iim.trimmed(LATIN + b"\0\0\0") == LATIN
    for whole in (LATIN, b"", b"\0\0", LATIN + b"more", LONG[:-1]):
        assert iim.trimmed(whole) == whole
