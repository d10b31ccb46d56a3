"""What a disk holds after a power cut, at every moment of what this process does to a folder.

The process runs as it is; a recorder notes what it makes durable. Python's audit hooks report every creation, renaming,
linking and removal before it happens, whatever function asks for it, and ``os.fsync`` is wrapped. A way to sync that is
not wrapped goes unseen, so the recorder can blame a program wrongly but cannot overlook a fault of a program that
writes its files in Python. POSIX promises only what was synced, so there are two worst cases for each moment:

* *lost*: a folder has the entries of its last fsync, less those removed since; a file has the bytes of its last fsync;
* *emptied*: every entry is there, a file has the bytes of its last fsync, and none where it never had one.

What file systems do lies between the two. Order within one file is not modelled: bytes written after an fsync are lost.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

World = dict[str, bytes]
"""Files by path relative to the folder."""

_MAKES = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_RDWR


@dataclass
class Recorder:
    """Notes what is durable below a folder.

    Attributes:
        root: the folder; it is taken for durable itself.
        worlds: what a power cut leaves, two for each moment: just before each change.
    """

    root: Path
    worlds: list[World] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._entries: dict[str, dict[str, int]] = {}
        self._bytes: dict[int, bytes] = {}
        self._held: dict[int, int] = {}  # an open file keeps its inode number from being given to another file
        self._note_folder(str(self.root))
        for folder, _, names in os.walk(self.root):
            self._note_folder(folder)
            for name in names:
                descriptor = os.open(Path(folder) / name, os.O_RDONLY)
                self.synced(descriptor)
                os.close(descriptor)

    def covers(self, path: object) -> bool:
        """Returns whether a path lies below the folder."""
        return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(f"{self.root}{os.sep}")

    def changes(self, event: str, path: str) -> None:
        """Notes the worlds of the moment before a change."""
        with self._lock:
            self.worlds += [self._lost(), self._emptied()]
            if event in ("os.remove", "os.rmdir"):
                self._entries.get(str(Path(path).parent), {}).pop(Path(path).name, None)

    def synced(self, descriptor: int) -> None:
        """Notes what an fsync made durable."""
        with self._lock:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if not (self.covers(path) or path == self.root):
                return
            if path.is_dir():
                self._note_folder(str(path))
                return
            about = os.fstat(descriptor)
            if about.st_ino not in self._held:
                self._held[about.st_ino] = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)
            self._bytes[about.st_ino] = os.pread(self._held[about.st_ino], about.st_size, 0)

    def close(self) -> None:
        """Notes the last moment."""
        self.worlds += [self._lost(), self._emptied()]
        for descriptor in self._held.values():
            os.close(descriptor)

    def _note_folder(self, folder: str) -> None:
        with os.scandir(folder) as entries:
            self._entries[folder] = {entry.name: entry.inode() for entry in entries}

    def _lost(self) -> World:
        found: World = {}

        def walk(folder: str) -> None:
            for name, inode in self._entries.get(folder, {}).items():
                path = f"{folder}{os.sep}{name}"
                if path in self._entries:
                    walk(path)
                elif not Path(path).is_dir():
                    found[os.path.relpath(path, self.root)] = self._bytes.get(inode, b"")

        walk(str(self.root))
        return found

    def _emptied(self) -> World:
        found: World = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder) / name
                try:
                    found[str(path.relative_to(self.root))] = self._bytes.get(path.stat().st_ino, b"")
                except FileNotFoundError:
                    continue  # another thread has just renamed or removed it
        return found


_recorders: list[Recorder] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _recorders or event not in ("open", "os.rename", "os.remove", "os.rmdir", "os.link", "os.mkdir"):
        return
    for recorder in _recorders:
        paths = [path for path in arguments[: 2 if event in ("os.rename", "os.link") else 1] if recorder.covers(path)]
        if paths and not (event == "open" and not (arguments[2] or 0) & _MAKES):
            recorder.changes(event, os.fsdecode(paths[0]))


sys.addaudithook(_hook)


@contextmanager
def recorded(root: Path, kind: type[Recorder] = Recorder) -> Iterator[Recorder]:
    """Records what the block does below a folder."""
    recorder = kind(root.resolve())
    fsync = os.fsync

    def wrapped(file: Any) -> None:
        fsync(file)
        recorder.synced(file if isinstance(file, int) else file.fileno())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", wrapped)
        _recorders.append(recorder)
        try:
            yield recorder
        finally:
            _recorders.remove(recorder)
            recorder.close()
