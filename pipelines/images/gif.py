"""The XMP packet of a GIF file (XMP part 3, section 1.1.2), which Pillow does not read."""

_START = b"\x21\xff\x0bXMP DataXMP"
# Whatever the packet's bytes, read as sizes of blocks, this ends in the zero after them.
_TRAILER = b"\x01\xff\xfe\xfd\xfc"


def xmp(data: bytes) -> bytes:
    """Return the packet; b"" if there is none."""
    start = data.find(_START)
    end = data.find(_TRAILER, start)
    return data[start + len(_START) : end] if 0 <= start < end else b""
