"""Make names of photos safe to use as paths, whatever a disk, a bucket or a tar calls them.

The name of a source is its path relative to the input. It never leads out of a folder, and it has no control
characters. It may contain bytes that are not UTF-8, which are kept with ``surrogateescape``: the store that the photo
is written to decides how to spell them, see `pipelines.archive.written_names`.
"""

import re

_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
_NOT_UTF_8 = re.compile(r"[\ud800-\udfff]")
_ESCAPED_WITH_CONTROL = re.compile(r"[%\0-\x1f\x7f-\x9f]")
_ESCAPED_WITH_BYTES = re.compile(r"[%\ud800-\udfff]")
_DRIVE = re.compile(r"(?:[A-Za-z]:)+")


def relative(path: str, *, windows: bool = False) -> str:
    """Return a safe form of a path: ``/./a//../b.jpg`` becomes ``a/b.jpg``, and ``a\\nb.jpg`` becomes ``a%0Ab.jpg``.

    Args:
        path: relative to the input or the tar, with forward slashes.
        windows: whether backslashes separate folders as well, and a drive such as ``C:`` may come first.

    Returns:
        the path without parts that are empty, ``.`` or ``..``. Control characters become ``%`` and two hex digits, and
        in a part that has any, ``%`` itself becomes ``%25``. '' if nothing is left. Safe paths are returned unchanged.
    """
    if windows:
        path = path.replace("\\", "/")
    parts = [_plain(part) for part in path.split("/") if part not in ("", ".", "..")]
    while windows and len(parts) > 1 and _DRIVE.fullmatch(parts[0]):
        del parts[0]
    return "/".join(parts)


def _plain(part: str) -> str:
    return _ESCAPED_WITH_CONTROL.sub(_percent, part) if _CONTROL.search(part) else part


def utf_8(path: str) -> str:
    """Return a path in UTF-8: each invalid byte becomes ``%`` and two hex digits, so ``caf\\udce9`` is ``caf%E9``.

    In a part with such bytes, ``%`` itself becomes ``%25``, so that the name can be decoded again.
    """
    if not _NOT_UTF_8.search(path):
        return path
    return "/".join(
        _ESCAPED_WITH_BYTES.sub(_percent, part) if _NOT_UTF_8.search(part) else part for part in path.split("/")
    )


def _percent(match: re.Match[str]) -> str:
    char = match[0]
    # Python keeps a byte that is not UTF-8 as one of these surrogates; any other surrogate is a character of its own.
    encoded = char.encode("utf-8", "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in encoded)


def beginning(text: str, size: int) -> str:
    """Return the longest beginning of a text that has at most ``size`` bytes in UTF-8, in whole characters."""
    data = text[:size].encode("utf-8", "surrogateescape")
    if len(data) > size:
        while size and data[size] & 0xC0 == 0x80:
            size -= 1
    return data[:size].decode("utf-8", "surrogateescape")


def is_safe(path: str) -> bool:
    """Return whether a path is relative and stays below the folder that it is joined to."""
    return bool(path) and "\0" not in path and all(part not in ("", ".", "..") for part in path.split("/"))
