"""The size of a WebP picture, from its header (RFC 9649): Pillow allocates 8 bytes a pixel before it tells the size."""


def size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of the canvas of a WebP file; None for any other file, or if the header is cut short."""
    kind, header = data[12:16], data[20:30]
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(header) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(header[4:7], "little"), 1 + int.from_bytes(header[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(header[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(header[6:8], "little") & 0x3FFF, int.from_bytes(header[8:10], "little") & 0x3FFF
