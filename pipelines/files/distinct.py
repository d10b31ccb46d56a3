"""Count files that may be found more than once, in memory that does not grow with their number."""

import tempfile
from contextlib import ExitStack
from hashlib import blake2b
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

_PARTS = 64
_ENTRY = np.dtype([("key", "V16"), ("size", "<i8")])


class Distinct:
    """The number and bytes of distinct files; a context manager that removes its temporary files.

    A file is 24 bytes on the disk, in one of 64 temporary files, which are read one after the other.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._parts: list[BinaryIO] = [self._stack.enter_context(tempfile.TemporaryFile()) for _ in range(_PARTS)]  # noqa: SIM115 (closed by the stack)

    def add(self, key: tuple[bytes, int], size: int) -> None:
        """Add a file.

        Args:
            key: the same each time that the file is found, see `pipelines.files.sources.file_of`.
            size: in bytes.
        """
        digest = blake2b(b"%d %s" % (key[1], key[0]), digest_size=16).digest()
        self._parts[digest[0] % _PARTS].write(digest + size.to_bytes(8, "little", signed=True))

    def totals(self) -> tuple[int, int]:
        """Return the number of distinct files, and their bytes."""
        number = size = 0
        for part in self._parts:
            part.seek(0)
            entries = np.frombuffer(part.read(), _ENTRY)
            keys = entries["key"].copy().view("<u8").reshape(-1, 2)
            _, first = np.unique(keys, axis=0, return_index=True) if len(keys) else (None, np.zeros(0, np.int64))
            number += len(first)
            size += int(entries["size"][first].sum())
        return number, size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
