"""Files that say themselves which run wrote them: as custom metadata in a bucket, as an extended attribute on a disk.

A mark holds the number of the run and a checksum of the bytes it wrote. Where the checksum fits, the file is this
program's, whether a record tells of it or not: a cancelled job leaves files whose records were lost with its workers,
and a manifest may be lost as well. Whoever changes such a file drops the mark or keeps one that no longer fits. Some
file systems have no such attributes; there, only records tell.
"""

import contextlib
import os
import re

KEY = "autochrome"
_ATTRIBUTE = f"user.{KEY}"
_MARK = re.compile(r"run (?P<run>\d{1,9}) (?P<checksum>\S+)")


def of(run: int, checksum: str) -> str:
    """Returns the mark of a file."""
    return f"run {run} {checksum}"


def run_in(mark: str | None, checksum: str | None) -> int:
    """Returns the number of the run that wrote a file; 0 if its mark is missing or does not fit its checksum."""
    found = _MARK.fullmatch(mark or "")
    return int(found["run"]) if found and found["checksum"] == checksum else 0


def read(path: str, sha256: str) -> int:
    """Returns the number of the run that wrote a local file, whose digest is given; 0 if the file does not say so."""
    try:
        return run_in(os.getxattr(path, _ATTRIBUTE).decode("ascii", "replace"), sha256)
    except (OSError, AttributeError):  # gone, without the attribute; or a system without such attributes
        return 0


def write(path: str, run: int, sha256: str) -> None:
    """Marks a local file, if its file system can do that."""
    with contextlib.suppress(OSError, AttributeError):
        os.setxattr(path, _ATTRIBUTE, of(run, sha256).encode())
