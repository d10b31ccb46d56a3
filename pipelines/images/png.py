"""Remove from PNG files the texts and profiles for which Pillow would refuse the whole photo.

It refuses texts and profiles of more than a megabyte once they are decompressed, more than 64 MB of texts, and unknown
compression methods (PNG, third edition, sections 11.3.2 and 11.3.3). Profiles up to 16 MB are handed on.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import PngImagePlugin

from pipelines.errors import Rejected
from pipelines.images.memory import suppressed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PROFILE = b"iCCP"
_MOST_PROFILE = 1 << 24
_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"IEND")
_KINDS = (b"tEXt", b"zTXt", b"iTXt", _PROFILE)


@dataclass(frozen=True, kw_only=True)
class Readable:
    """A file that Pillow reads.

    Attributes:
        data: the file.
        profile: the ICC profile that was taken out of the file, else b"".
        warnings: codes of what was dropped: ``text_dropped``, ``xmp_dropped``, ``profile_dropped``.
    """

    data: bytes
    profile: bytes = b""
    warnings: tuple[str, ...] = ()


def readable(data: bytes) -> Readable:
    """Remove what Pillow refuses; return the same bytes if there is nothing to remove."""
    kept: list[bytes] = []
    warnings: list[str] = []
    profile, start, room = b"", 0, PngImagePlugin.MAX_TEXT_MEMORY
    _check_pixels(data)
    for at, kind, content, end in _chunks(data):
        text, is_refused = _read(kind, content)
        room -= 0 if kind == _PROFILE else len(text)
        if room >= 0 and not is_refused:
            continue
        kept.append(data[start:at])
        start = end
        if kind == _PROFILE and 0 < len(text) <= _MOST_PROFILE:
            profile = text
        else:
            warnings.append(_warning(kind, content))
    if not kept:
        return Readable(data=data)
    return Readable(data=b"".join([*kept, data[start:]]), profile=profile, warnings=tuple(dict.fromkeys(warnings)))


def _check_pixels(data: bytes) -> None:
    """Refuse a file if a checksum of its pixels is wrong, which Pillow does not look at.

    Raises:
        Rejected: ``unreadable``.
    """
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size
        if kind in (b"IDAT", b"PLTE") and end <= len(data):
            wanted = int.from_bytes(data[end - 4 : end], "big")
            if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != wanted:
                raise Rejected("unreadable", f"the picture is damaged: a checksum of {kind.decode()} is wrong")
        position = end


def bare(data: bytes) -> bytes:
    """Return a PNG without the chunks that pixels do not need."""
    kept, position = [SIGNATURE], len(SIGNATURE)
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size
        if kind in _NEEDED:
            kept.append(data[position:end])
        position = end
    return b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Yield place, type, content and end of each text and profile, as far as they can be followed."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size
        if end > len(data):
            return
        if kind in _KINDS:
            yield position, kind, data[position + 8 : end - 4], end
        position = end


def _read(kind: bytes, content: bytes) -> tuple[bytes, bool]:
    """Return a text or profile, cut at the most that is read, and whether Pillow refuses it."""
    _, _, rest = content.partition(b"\0")
    if kind == b"iTXt":
        flags, text = rest[:2], rest[2:].split(b"\0", 2)[-1]
        if flags != b"\1\0":
            return text, False
    elif kind == b"tEXt":
        return rest, False
    elif rest[:1] in (b"", b"\0"):
        text = rest[1:]
    else:
        return b"", True
    text = _inflated(text)
    return text, len(text) >= PngImagePlugin.MAX_TEXT_CHUNK or (kind == _PROFILE and not text)


def _inflated(text: bytes) -> bytes:
    with suppressed(zlib.error):  # Pillow passes over it
        return zlib.decompressobj().decompress(text, _MOST_PROFILE + 1)
    return b""


def _warning(kind: bytes, content: bytes) -> str:
    if kind == _PROFILE:
        return "profile_dropped"
    keyword, _, _ = content.partition(b"\0")
    return "xmp_dropped" if b"xmp" in keyword else "text_dropped"
