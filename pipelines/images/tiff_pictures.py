"""Which directories of a TIFF are its photos: the chain, and the directories that SubIFDs point to.

Many cameras and programs put a small preview first and the photo itself into a SubIFD (TIFF/EP, DNG). Raw data of a
sensor is not a photo before it is developed: its preview must not be taken for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.errors import Rejected
from pipelines.images import tiff_pages, tiff_table, tiff_tags
from pipelines.images.tiff_table import Entry, Table
from pipelines.images.tiff_tags import RAW_COMPRESSIONS, RAW_PHOTOMETRICS, REDUCED_OR_MASK, STRUCTURAL, SUB_IFDS

DEVELOP_IT = "develop it first, and save it as TIFF or JPEG"
"""What the detail of ``camera_raw`` ends with."""
# What follows the header of a TIFF in raw files whose directories hold nothing but previews: Canon, Phase One, Leaf.
_RAW_MARKS = {8: (b"CR\x02", b"IIII", b"MMMM")}
_MOST_DEPTH, _MOST_SUB_IFDS, _MOST_EXTRA = 3, 64, 4096
_REDUCED = 2  # a value of the old tag SUBFILE_TYPE


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A directory, the one whose SubIFDs name it, and whether it is a thumbnail or a mask."""

    table: Table
    parent: Table | None
    is_left_out: bool

    @property
    def pixels(self) -> int:
        return self.table.number(tiff_tags.IMAGE_WIDTH) * self.table.number(tiff_tags.IMAGE_LENGTH)


def of_file(data: bytes) -> list[Table]:
    """Return the directory of each photo of a TIFF file, in order.

    A directory of a SubIFD takes the place of the preview that names it, and the tags of the preview that say what the
    photo is of. If all directories are marked as thumbnails, the largest of them is the photo.

    Raises:
        Rejected: ``camera_raw`` if the file holds raw sensor data; ``unreadable`` if there is nothing but a thumbnail,
            and the photo that it belongs to is missing.
        ValueError: this is not a TIFF structure, or its directories overlap.
    """
    for at, marks in _RAW_MARKS.items():
        if data[at : at + 4].startswith(marks):
            raise Rejected("camera_raw", f"camera raw: {DEVELOP_IT}")
    chain = list(tiff_pages.chain(data))
    seen = {table.offset for table in chain}
    groups = [list(_family(table, seen, len(chain) + _MOST_EXTRA)) for table in chain]
    everything = [found for group in groups for found in group]
    if not everything:
        return [tiff_pages.first(data)]
    is_dng = any(tiff_tags.DNG_VERSION in found.table for found in everything)
    if any(_is_raw(found.table) for found in everything):
        raise Rejected("camera_raw", f"{'DNG' if is_dng else 'camera raw'}: {DEVELOP_IT}")
    photos = [photo for group in groups if (photo := _photo_of(group)) is not None]
    if photos:
        return [_told_by(photo) for photo in photos]
    if is_dng:
        raise Rejected("camera_raw", f"DNG without a developed picture: {DEVELOP_IT}")
    if any(SUB_IFDS in found.table for found in everything):
        raise Rejected("unreadable", "there is a thumbnail, but the photo that it belongs to is missing")
    return [_told_by(max(everything, key=lambda found: found.pixels))]


def _family(table: Table, seen: set[int], most: int, parent: Table | None = None, depth: int = 0) -> Iterator[_Found]:
    """Yield a directory, then those that its SubIFDs name, which may name others; each once."""
    yield _Found(table=table, parent=parent, is_left_out=_is_left_out(table))
    if depth == _MOST_DEPTH:
        return
    for offset in table.numbers(SUB_IFDS)[:_MOST_SUB_IFDS]:
        if offset in seen or not table.layout.header_size <= offset < len(table.data) - 2:
            continue
        if len(seen) > most:
            raise ValueError("too many directories")
        seen.add(offset)
        yield from _family(tiff_table.parse(table.data, offset), seen, most, table, depth + 1)


def _is_left_out(table: Table) -> bool:
    kind = table.number(tiff_tags.NEW_SUBFILE_TYPE)
    is_old_thumbnail = table.number(tiff_tags.SUBFILE_TYPE) == _REDUCED and tiff_tags.NEW_SUBFILE_TYPE not in table
    return bool(kind & REDUCED_OR_MASK) or is_old_thumbnail


def _is_raw(table: Table) -> bool:
    if table.number(tiff_tags.PHOTOMETRIC, -1) in RAW_PHOTOMETRICS:
        return True
    return table.number(tiff_tags.COMPRESSION) in RAW_COMPRESSIONS


def _photo_of(group: list[_Found]) -> _Found | None:
    """Return the photo among a directory and its SubIFDs: the first, unless it is a preview of a larger one."""
    whole = [found for found in group if not found.is_left_out and found.pixels]
    if not whole:
        # A directory without a size is a thumbnail as EXIF has it; a first one is not a picture at all.
        first = group[0]
        return first if not first.is_left_out and not _is_exif_thumbnail(first.table) else None
    first, largest = whole[0], max(whole, key=lambda found: found.pixels)
    return largest if largest.pixels > first.pixels else first


def _is_exif_thumbnail(table: Table) -> bool:
    return tiff_tags.JPEG_INTERCHANGE_FORMAT in table and tiff_tags.IMAGE_WIDTH not in table


def _told_by(found: _Found) -> Table:
    """Return the directory of a photo, with those tags of its preview that say what it is of."""
    table, parent = found.table, found.parent
    if parent is None:
        return table
    own = {entry.tag: entry for entry in table.entries}
    kept = STRUCTURAL - {tiff_tags.ICC_PROFILE} | {tiff_tags.NEW_SUBFILE_TYPE}
    told = {entry.tag: entry for entry in parent.entries if entry.tag not in kept}
    return _written(table, sorted((told | own).values()))


def _written(table: Table, entries: list[Entry]) -> Table:
    """Return a directory of entries of a file, at the end of this file."""
    data, step = table.data, table.layout.entry.size
    end = len(data) + len(data) % 2
    stored = b"".join(data[entry.position : entry.position + step] for entry in entries)
    directory = table.layout.count.pack(len(entries)) + stored + bytes(table.layout.offset.size)
    return tiff_table.parse(data.ljust(end, b"\0") + directory, end)
