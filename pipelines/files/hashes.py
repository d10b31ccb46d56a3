"""Hash text to values that are the same in every run, on every machine and in every version of Python."""

from hashlib import blake2b


def stable_hash(text: str, purpose: str = "", *, size: int = 8, errors: str = "surrogateescape") -> bytes:
    """Return the BLAKE2b hash of a text.

    Args:
        text: such as the name of a photo; it need not be valid Unicode.
        purpose: keeps apart hashes of the same text that decide different things; at most 16 bytes.
        size: of the hash, in bytes.
        errors: how to encode surrogates, as in `str.encode`.
    """
    return blake2b(text.encode("utf-8", errors), digest_size=size, person=purpose.encode()).digest()
