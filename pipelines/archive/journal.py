"""Write the record of every photo to a journal at once, so that a killed run loses only unfinished photos.

The file of a photo is on the disk before its record is written, see `pipelines.files.local_files`. The record itself is
on the disk after at most ten seconds, or when its bundle ends: a power cut costs the photos of the last seconds.

If a write or a sync fails, a new file is started with all records that may not be on the disk, because a failed sync
may have lost them. A record that is in two journals counts once.
"""

import os
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pipelines.archive.manifest import JOURNAL, Record, to_lines
from pipelines.files import beneath, local_files, local_writes, storage

_RECORDS_PER_OBJECT = 100
_SECONDS_PER_OBJECT = 30.0
_SECONDS_UNSYNCED = 10.0


class Journal:
    """Writes the records of one worker.

    A local journal is one file that grows by one line per photo. Objects in a bucket cannot grow, so each object
    contains the records of up to 100 photos, of 30 seconds, or of a bundle. The last photos of a killed worker are then
    made again.
    """

    def __init__(self, folder: str, run: str) -> None:
        """Prepare the journal; its file is created with the first record.

        Args:
            folder: of the manifest.
            run: id of the run, which is part of the names of its journals.
        """
        self._root = Path(folder)
        self._folder = storage.join(folder, JOURNAL)
        self._run = run
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        self._unsynced: list[bytes] = []
        self._waiting: list[str] = []
        self._since = 0.0
        self._synced = 0.0

    def add(self, record: Record) -> None:
        """Write a record."""
        line = replace(record, at=time.time_ns()).to_json(timed=True)
        if not storage.is_remote(self._folder):
            self._append(to_lines([line]))
            if time.monotonic() - self._synced > _SECONDS_UNSYNCED:
                self.flush()
            return
        self._since = self._since if self._waiting else time.monotonic()
        self._waiting.append(line)
        if len(self._waiting) >= _RECORDS_PER_OBJECT or time.monotonic() - self._since > _SECONDS_PER_OBJECT:
            self.flush()

    def announce(self, record: Record) -> None:
        """Record what is about to be written to a local disk, so that a later run recognises the files as its own.

        Several threads may call this.
        """
        if not storage.is_remote(self._folder):
            line = replace(record, at=time.time_ns(), pending=True).to_json(timed=True)
            self._append(to_lines([line]))

    def flush(self) -> None:
        """Make sure that all records are on the disk or in the bucket; call this when a bundle ends."""
        if self._waiting:
            storage.write(storage.join(self._folder, self._name()), to_lines(self._waiting))
            self._waiting = []
        with self._lock:
            if self._unsynced:
                local_writes.patiently(self._folder, self._sync)
                self._unsynced = []
            self._synced = time.monotonic()

    def _sync(self) -> None:
        file = self._whole()
        self._file = None
        local_files.sync(file)
        self._file = file

    def close(self) -> None:
        """Flush and close the journal."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: bytes) -> None:
        with self._lock:
            self._unsynced.append(line)
            local_writes.patiently(self._folder, lambda: self._write(line))

    def _write(self, line: bytes) -> None:
        """Write the last line; if the file was given up, write all lines that may not be on the disk to a new one."""
        if self._file is None:
            self._whole()
            return
        # Unbuffered and in one call: after a kill the line is complete, or cut off at the end of the file. A full disk
        # may accept a part of it; writing the rest then raises the error.
        file, self._file = self._file, None
        while line:
            line = line[file.write(line) :]
        self._file = file

    def _whole(self) -> BinaryIO:
        """Return the file with all lines that may not be on the disk."""
        if self._file is None:
            file = self._opened()
            for line in self._unsynced:
                self._file = file
                self._write(line)
            self._file = file
        return self._file

    def _opened(self) -> BinaryIO:
        with beneath.opened(self._root, f"{JOURNAL}/{self._name()}") as path:
            file = path.open("xb", buffering=0)
            local_files.sync_folder(path.parent)
        self._synced = time.monotonic()
        return file

    def _name(self) -> str:
        return f"{self._run}-{os.getpid()}-{uuid.uuid4().hex}.jsonl"
