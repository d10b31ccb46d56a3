"""Metadata that several pages or tags share, so that a small file could fill the memory."""

import struct
import tracemalloc

import bomb_tiffs

from pipelines.images import pages


def test_tags_that_lie_over_each_other_are_carried_no_more_than_once():
    data = bomb_tiffs.overlapping_tags(1000, 50_000)
    tracemalloc.start()
    try:
        (page,) = pages.read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(data)
    assert page.metadata.bytes <= len(data)
    assert page.metadata.warnings == ("exif_shortened",)


def test_pages_that_share_their_metadata_do_not_all_carry_it():
    """40 pages of 800 bytes, each of whose directories names the same megabyte."""
    size, count, start = 1_000_000, 40, 16
    table = 2 + 12 * 10 + 4
    data = b"II*\0" + struct.pack("<I", start) + bytes(8)
    for index in range(count):
        following = start + (index + 1) * table if index < count - 1 else 0
        data += bomb_tiffs.directory(
            [*bomb_tiffs.plain_entries(2, 8), (50_000, 7, size, start + count * table)], following
        )
    found = list(pages.read(data + bytes(size)))
    assert len(found) == count
    assert sum(page.metadata.bytes for page in found) < 1 << 25
    assert {page.metadata.warnings for page in found} == {(), ("metadata_dropped",)}
