"""Hash text and files to values that are the same in every run, on every machine and in every version of Python."""

from base64 import b64encode
from hashlib import blake2b
from typing import BinaryIO

import google_crc32c

_CHUNK = 1 << 20


def stable_hash(text: str, purpose: str = "", *, size: int = 8, errors: str = "surrogateescape") -> bytes:
    """Return the BLAKE2b hash of a text.

    Args:
        text: such as the name of a photo; it need not be valid Unicode.
        purpose: keeps apart hashes of the same text that decide different things; at most 16 bytes.
        size: of the hash, in bytes.
        errors: how to encode surrogates, as in `str.encode`.
    """
    return blake2b(text.encode("utf-8", errors), digest_size=size, person=purpose.encode()).digest()


def crc32c(file: BinaryIO) -> str:
    """Return the crc32c of the rest of a file, in base64, as stores write it."""
    checksum = google_crc32c.Checksum()
    for _ in checksum.consume(file, _CHUNK):
        pass
    return b64encode(checksum.digest()).decode()
