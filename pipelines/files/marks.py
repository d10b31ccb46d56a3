"""Mark files with the run that wrote them: custom metadata in a bucket, an extended attribute on a disk.

A mark contains the number of the run and a checksum of the bytes. If the checksum matches, this program wrote the file,
whether a record mentions it or not: the records of a cancelled job may be lost with its workers, and a manifest may be
lost as well. A program that changes such a file drops the mark, or keeps one that no longer matches. Some file systems
have no extended attributes; there, only records show who wrote a file.
"""

import contextlib
import os
import re

KEY = "autochrome"
_ATTRIBUTE = f"user.{KEY}"
_MARK = re.compile(r"run (?P<run>\d{1,9}) (?P<checksum>\S+)")


def of(run: int, checksum: str) -> str:
    """Return the mark for a file."""
    return f"run {run} {checksum}"


def run_in(mark: str | None, checksum: str | None) -> int:
    """Return the number of the run that wrote a file; 0 if its mark is missing or does not match its checksum."""
    found = _MARK.fullmatch(mark or "")
    return int(found["run"]) if found and found["checksum"] == checksum else 0


def read(path: str, sha256: str) -> int:
    """Return the number of the run that wrote a local file with the given digest; 0 without a valid mark."""
    try:
        return run_in(os.getxattr(path, _ATTRIBUTE).decode("ascii", "replace"), sha256)
    except (OSError, AttributeError):  # no file, no attribute, or no support for attributes
        return 0


def write(path: str, run: int, sha256: str) -> None:
    """Mark a local file, if its file system supports that."""
    with contextlib.suppress(OSError, AttributeError):
        os.setxattr(path, _ATTRIBUTE, of(run, sha256).encode())
