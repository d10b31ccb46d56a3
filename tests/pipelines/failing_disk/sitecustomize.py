"""Python processes that find this on their path have a disk that fails: opening some files and folders raises errors.

An audit hook raises them where Python is about to ask the operating system, whatever code asks it and however. The
environment says what fails (`failing_disk.Faults`): workers inherit it.
"""

import errno
import hashlib
import json
import os
import re
import sys
from pathlib import Path

_FAULTS = json.loads(os.environ["FAILING_DISK"])
_COUNTS = Path(_FAULTS["counts"])
_MATCH = re.compile(_FAULTS["match"])


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event not in ("open", "os.scandir") or not isinstance(args[0], str) or not _MATCH.search(args[0]):
        return
    if event == "open" and int(args[2]) & os.O_ACCMODE != os.O_RDONLY:
        return
    path = args[0]
    told = hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()
    with (_COUNTS / told[:16]).open("ab") as file:
        if file.tell() >= _FAULTS["times"]:
            return
        number = getattr(errno, _FAULTS["errors"][(int(told, 16) + file.tell()) % len(_FAULTS["errors"])])
        file.write(b".")
    raise OSError(number, os.strerror(number), path)


sys.addaudithook(_hook)
