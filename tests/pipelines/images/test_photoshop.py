from pipelines.images import photoshop

OTHER = b"8BIM\x03\xed\0\0\0\0\0\x02ab"
NAMED = b"8BIM\x04\x04\x03abc\0\0\0\x07\x1c\x02\x5a\0\2Ab\0"
RECORDS = b"\x1c\x02\x5a\0\2Ab"


def test_records_are_found_among_other_blocks():
    assert photoshop.iptc_of(OTHER + NAMED) == RECORDS
    assert photoshop.iptc_of(OTHER) == photoshop.iptc_of(b"") == photoshop.iptc_of(RECORDS) == b""


def test_what_is_written_is_found_again():
    for records in (RECORDS, RECORDS + b"x", b"\x1c" * 70_000):
        block = photoshop.block_of(records)
        assert len(block) % 2 == 0
        assert photoshop.is_block(block)
        assert photoshop.iptc_of(block) == records


def test_a_block_that_is_cut_short_ends_the_search():
    for end in range(len(OTHER + NAMED)):
        assert RECORDS.startswith(photoshop.iptc_of((OTHER + NAMED)[:end]))


def test_what_a_person_said_is_kept_and_what_describes_the_pixels_is_not():
    flag, path = b"8BIM\x04\x0a\0\0\0\0\0\x01\x01\0", b"8BIM\x07\xd0\x01a\0\0\0\x02xx"
    assert photoshop.said_in(OTHER + NAMED + flag + path) == flag
    assert photoshop.has_paths(flag + path)
    assert not photoshop.has_paths(OTHER + NAMED + flag)


def test_records_of_several_blocks_are_one():
    assert photoshop.iptc_of(NAMED + OTHER + NAMED) == 2 * RECORDS
