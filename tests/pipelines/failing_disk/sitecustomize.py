"""Python processes that find this on their path have a disk that fails, or run out of descriptors.

An audit hook sees what Python is about to ask the operating system, whatever code asks it and however. It raises the
errors that a disk would give, or takes away the right to open files, so that the operating system gives them itself.
Reads fail, or what writes is made of: files are opened, written, synced, given their names, linked and removed.
The environment says what fails (`disk_faults.DiskFaults`): workers inherit it.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_FAULTS = json.loads(os.environ["FAILING_DISK"])
_COUNTS = Path(_FAULTS["counts"])
_MATCH = re.compile(_FAULTS["match"])
_LIMITS = resource.getrlimit(resource.RLIMIT_NOFILE)


_UNIQUE = re.compile(r"\.[0-9a-f]{32}\.part$|[0-9]+-[0-9a-f]{32}(?=\.jsonl$)|^/proc/self/fd/\d+/")


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event == "open":
        event = "open" if int(args[2]) & os.O_ACCMODE == os.O_RDONLY else "create"
    if event in _FAULTS["events"]:
        _fail(event, args[1] if event in ("os.rename", "os.link") else args[0])


def _fail(event: str, path: object) -> None:
    if not isinstance(path, str | os.PathLike) or not _MATCH.search(os.fspath(path)):
        return
    path = os.fspath(path)
    # What has a new name in each attempt is the same file.
    subject = path if event in ("open", "os.scandir") else f"{event} {_UNIQUE.sub('', path)}"
    told = hashlib.sha256(subject.encode(errors="surrogateescape")).hexdigest()
    try:
        with (_COUNTS / told[:16]).open("ab") as file:
            before = file.tell()
            if before >= _FAULTS["times"]:
                return
            file.write(b".")
    except OSError:
        return  # there is no descriptor left, which is the fault that is wanted
    if seconds := _FAULTS["without_descriptors"]:
        _use_up_descriptors(seconds)
        return
    number = getattr(errno, _FAULTS["errors"][(int(told, 16) + before) % len(_FAULTS["errors"])])
    raise OSError(number, os.strerror(number), path)


def _use_up_descriptors(seconds: float) -> None:
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, _LIMITS[1]))
    used: list[int] = []
    with contextlib.suppress(OSError):
        while True:
            used.append(os.dup(0))

    def give_back() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, _LIMITS)
        for descriptor in used:
            os.close(descriptor)

    back = threading.Timer(seconds, give_back)
    back.daemon = True
    back.start()


def _be_brief() -> None:
    """Waits a fiftieth of the time, for faults that do not pass."""
    from pipelines.files import patience

    patience.LOCAL_SECONDS = 0.9
    patience.FIRST_PAUSE = patience.LONGEST_LOCAL_PAUSE = 0.1


def _failing(sync: Callable[[int], None]) -> Callable[[int], None]:
    """Python reports no syncing: the function is wrapped."""

    def synced(descriptor: int) -> None:
        if "fsync" in _FAULTS["events"]:
            _fail("fsync", Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    return synced


os.fsync = _failing(os.fsync)
if _FAULTS["is_brief"]:
    _be_brief()
sys.addaudithook(_hook)
