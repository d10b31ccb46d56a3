"""The texts of a PNG file (PNG, third edition, section 11.3.3), read and written with their languages."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.images import photoshop
from pipelines.images.exif import START as EXIF_START
from pipelines.images.memory import suppressed

_SIGNATURE_SIZE = 8
_MOST_BYTES = 1 << 23
_RAW_PROFILE = "raw profile type "
_XMP = "XML:com.adobe.xmp"
_XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
_LATIN = (b"tEXt", b"zTXt")
_KINDS = (*_LATIN, b"iTXt")

_KNOWN = (
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV"),
    *(b"cLLI", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"eXIf", b"tIME", b"acTL", b"fcTL", b"fdAT", b"iDOT", b"vpAg"),
    *_KINDS,
)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text of a PNG file.

    Attributes:
        keyword: such as ``Title``, in the case in which the file has it.
        text: any.
        language: of the text (RFC 3066); '' if it is not known.
        translated: the keyword in that language.
    """

    keyword: str
    text: str
    language: str = ""
    translated: str = ""

    @property
    def is_block(self) -> bool:
        """Whether it holds a block that PNG has no chunk for, or the XMP packet."""
        return self.keyword == _XMP or self.keyword.lower().startswith(_RAW_PROFILE)


def read(data: bytes) -> tuple[list[Text], bool]:
    """Return the texts of a PNG file, up to 8 MB of them, and whether those are all."""
    found: list[Text] = []
    room, is_whole = _MOST_BYTES, True
    for kind, content in _chunks(data):
        if kind in _KINDS:
            text = _text(kind, content, room)
            is_whole &= text is not None
            if text is not None:
                room -= len(text.text)
                found.append(text)
    return found, is_whole


def changed_at(data: bytes) -> bytes:
    """Return the content of the chunk ``tIME``, b"" if there is none."""
    return next((content for kind, content in _chunks(data) if kind == b"tIME" and len(content) == 7), b"")


def others(data: bytes) -> list[str]:
    """Return the types of chunks that are neither read nor about how the pixels are stored."""
    kinds = dict.fromkeys(kind for kind, _ in _chunks(data) if kind not in _KNOWN)
    return [kind.decode("latin-1") for kind in kinds if kind.isalpha()]


def blocks(texts: list[Text]) -> dict[str, bytes]:
    """Return EXIF, XMP, IPTC and Photoshop resources that ImageMagick and ExifTool store as hexadecimal text."""
    found: dict[str, bytes] = {}
    for text in texts:
        kind = text.keyword.lower().removeprefix(_RAW_PROFILE)
        if not text.is_block or kind not in ("exif", "app1", "xmp", "iptc", "8bim"):
            continue
        content = _unhexed(text.text)
        if content.startswith(_XMP_START):
            kind, content = "xmp", content.removeprefix(_XMP_START)
        elif photoshop.is_block(content):
            kind = "photoshop"
        if kind == "app1":
            kind = "exif"
        found.setdefault(kind, content.removeprefix(EXIF_START))
    return found


def chunk(text: Text) -> tuple[bytes, bytes]:
    """Return type and content of the chunk for a text."""
    head = text.keyword.encode("latin-1", "replace")[:79] + b"\0\0\0" + text.language.encode("ascii", "replace") + b"\0"
    return b"iTXt", head + text.translated.encode("utf-8", "replace") + b"\0" + text.text.encode("utf-8", "replace")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = _SIGNATURE_SIZE
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if kind != b"IDAT":  # the only large chunks
            yield kind, data[position + 8 : position + 8 + size]
        position += 12 + size


def _text(kind: bytes, content: bytes, room: int) -> Text | None:
    name, mark, rest = content.partition(b"\0")
    if not mark:
        return None
    keyword, language, translated = name.decode("latin-1"), b"", b""
    is_packed = kind == b"zTXt"
    if is_packed:
        rest = rest[1:]
    elif kind == b"iTXt":
        is_packed = rest[:1] == b"\1"
        language, _, rest = rest[2:].partition(b"\0")
        translated, _, rest = rest.partition(b"\0")
    if is_packed:
        with suppressed(zlib.error):
            rest = zlib.decompressobj().decompress(rest, max(1, room))
            is_packed = False
    if is_packed or len(rest) > room:
        return None
    return Text(
        keyword=keyword,
        text=rest.decode("latin-1" if kind in _LATIN else "utf-8", "replace"),
        language=language.decode("ascii", "replace"),
        translated=translated.decode("utf-8", "replace"),
    )


def _unhexed(text: str) -> bytes:
    r"""Return what hexadecimal text stands for: ``\nname\nsize\nhex``."""
    with suppressed(ValueError):
        _, size, body = text.lstrip("\n").split("\n", 2)
        return bytes.fromhex(body)[: int(size)]
    return b""
