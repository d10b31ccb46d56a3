"""ICC profiles that LittleCMS cannot use within reason.

Its multi-process elements (ICC.1:2022, section 10.16) may all be the same bytes: in a PNG of 1 kB 20,000 of them took
11 GB before LittleCMS gave up. Profiles have 3 to 5.
"""

import struct

_HEADER, _ENTRY = 128, 12
_ELEMENTS = b"mpet"
_MOST_ELEMENTS = 16
_MOST_TAGS = 100  # LittleCMS ignores profiles with more


def is_usable(profile: bytes) -> bool:
    """Whether a profile has no more elements than real ones do; one that is cut short is for LittleCMS to judge."""
    if len(profile) < _HEADER + 4:
        return True
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    table = profile[_HEADER + 4 : _HEADER + 4 + _ENTRY * min(count, _MOST_TAGS)]
    for position in range(0, len(table) - _ENTRY + 1, _ENTRY):
        (start,) = struct.unpack_from(">I", table, position + 4)
        tag = profile[start : start + 16]
        if tag[:4] == _ELEMENTS and int.from_bytes(tag[12:16], "big") > _MOST_ELEMENTS:
            return False
    return True
