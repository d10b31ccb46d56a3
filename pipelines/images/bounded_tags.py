"""Pillow's reader of TIFF directories, held to the size of what it reads.

Pillow keeps the values of all tags of an EXIF block in memory when it looks for the resolution of a JPEG, the
orientation of an AVIF or any `getexif`. 64 kB whose 5,400 tags lie over each other are 350 MB, and a JPEG may have a
megabyte of EXIF.
"""

from typing import IO, Any

from PIL import TiffImagePlugin


class _Metered:
    """A file of which no more is read than twice its size: its tables, and every value once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        place = file.tell()
        self._room = 2 * file.seek(0, 2)
        file.seek(place)

    def read(self, size: int = -1) -> bytes:
        """Read on; OSError, which Pillow takes for the end of the directory, when too much has been read."""
        data = self._file.read(size)
        self._room -= len(data)
        if self._room < 0:
            raise OSError("values that lie over each other")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _BoundedDirectory(TiffImagePlugin.ImageFileDirectory_v2):
    def load(self, fp: IO[bytes]) -> None:
        super().load(_Metered(fp))  # type: ignore[arg-type]


def install() -> None:
    """Make Pillow use it, for all images that it opens."""
    setattr(TiffImagePlugin, "ImageFileDirectory_v2", _BoundedDirectory)  # noqa: B010 (mypy forbids the assignment)
