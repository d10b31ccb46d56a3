"""Tie the worker processes of a local run to their launcher: it ends them, and they end if it dies.

Beam starts the workers and waits until they finish their current work, which takes minutes for a shard. If the launcher
is killed, they continue alone. So the launcher holds a lock on a file, and a worker that obtains this lock ends itself.
Each worker holds a lock on a file named after its process id, which shows the launcher whether it is gone.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

VARIABLE = "AUTOCHROME_LIFELINE"
"""The environment variable that tells the workers the folder of the lock files."""
_LAUNCHER = "launcher"
_PATIENCE_S = 5.0
_LOOK_EVERY_S = 0.01
_held_open: list[BinaryIO] = []


class Lifeline:
    """The launcher's side.

    Args:
        folder: an empty folder for the lock files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / _LAUNCHER).open("xb")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def cut(self) -> None:
        """End all workers and wait until they are gone; kill those that do not end by themselves."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        patient_until = time.monotonic() + _PATIENCE_S
        for path in self._folder.iterdir():
            if path.name == _LAUNCHER:
                continue
            with path.open("rb") as worker:
                while not _is_free(worker):
                    if time.monotonic() > patient_until:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(int(path.name), signal.SIGKILL)
                    time.sleep(_LOOK_EVERY_S)

    def close(self) -> None:
        """Close the lock file."""
        self._file.close()


def _is_free(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def held() -> Iterator[Lifeline]:
    """Tie the workers that are started in the block to this process; end those that are left when the block ends."""
    folder = tempfile.mkdtemp(prefix="autochrome-workers-")
    lifeline = Lifeline(Path(folder))
    os.environ[VARIABLE] = folder
    try:
        yield lifeline
    finally:
        del os.environ[VARIABLE]
        lifeline.cut()
        lifeline.close()
        shutil.rmtree(folder, ignore_errors=True)


def follow(end: Callable[[], None]) -> None:
    """Tie this process, a worker, to its launcher.

    Args:
        end: ends the process; called from a thread when the launcher ends the workers or is gone.
    """
    folder = Path(os.environ[VARIABLE])
    try:
        mine = (folder / str(os.getpid())).open("xb")
        fcntl.flock(mine, fcntl.LOCK_EX)
        launcher = (folder / _LAUNCHER).open("rb")
    except FileNotFoundError:  # the launcher ended before this process started
        end()
        return

    _held_open.append(mine)

    def wait() -> None:
        fcntl.flock(launcher, fcntl.LOCK_SH)
        end()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
