"""Tell whether Windows can store a file under a path: bags are often copied to it by those who receive them."""

import re

_SIGNS = re.compile(r'[<>:"|?*\\\x00-\x1f]')
# The name of a device is one with any extension, and with spaces before it: `aux.jpg`, `NUL .tar.gz`.
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[1-9¹²³]) *(?:\.|\Z)", re.IGNORECASE)


def can_store(path: str) -> bool:
    """Return whether each part of a path, between slashes, is a name that Windows can store."""
    return all(map(_is_possible, path.split("/")))


def _is_possible(part: str) -> bool:
    return not (_SIGNS.search(part) or _DEVICE.match(part) or part.endswith((".", " ")))
