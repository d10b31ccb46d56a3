r"""Names that are not UTF-8, as text for formats that hold nothing else.

Python keeps a byte that is not UTF-8 as a surrogate, such as ``\udce9``. Parquet cannot hold that character, so it is
written as those six characters, which is also its form in JSON. Backslashes right before it, or before text that looks
like it, are doubled, so that every text comes back as it was.
"""

import re

_UNUSUAL = re.compile(r"(\\*)(?:([\ud800-\udfff])|(ud[89a-f][0-9a-f]{2}))")
_ESCAPED = re.compile(r"(\\+)(ud[89a-f][0-9a-f]{2})")


def escaped(text: str) -> str:
    """Return text that UTF-8 can hold."""
    if text.isascii() and "\\" not in text:
        return text
    return _UNUSUAL.sub(lambda found: 2 * found[1] + (f"\\u{ord(found[2]):x}" if found[2] else found[3]), text)


def unescaped(text: str) -> str:
    """Return the text that `escaped` got."""
    return _ESCAPED.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    before = "\\" * (len(found[1]) // 2)
    return before + (chr(int(found[2][1:], 16)) if len(found[1]) % 2 else found[2])
