"""Limit Pillow's reader of TIFF directories: it reads at most twice the size of the data.

Pillow keeps the values of all tags of an EXIF block in memory to find the resolution of a JPEG or the orientation of
any photo. 64 kB with 5,400 tags that overlap take 350 MB, and a JPEG may have a megabyte of EXIF.
"""

from typing import IO, Any

from PIL import TiffImagePlugin


class _Metered:
    """A file that can be read up to twice its size: its tables, and every value once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        place = file.tell()
        self._room = 2 * file.seek(0, 2)
        file.seek(place)

    def read(self, size: int = -1) -> bytes:
        """Read on.

        Raises:
            OSError: too much has been read; Pillow takes this for the end of the directory.
        """
        data = self._file.read(size)
        self._room -= len(data)
        if self._room < 0:
            raise OSError("overlapping values")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _BoundedDirectory(TiffImagePlugin.ImageFileDirectory_v2):
    def load(self, fp: IO[bytes]) -> None:
        super().load(_Metered(fp))  # type: ignore[arg-type]


def install() -> None:
    """Make Pillow use this limit for all images that it opens."""
    setattr(TiffImagePlugin, "ImageFileDirectory_v2", _BoundedDirectory)  # noqa: B010 (mypy forbids the assignment)
