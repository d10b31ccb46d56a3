"""List what is in an output: files of records, files that may be photos, and files that killed writers left."""

from collections.abc import Iterator
from dataclasses import replace

from pipelines.archive import manifest, written_names
from pipelines.files import contents, listings, local_files
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.images import formats

# Subfolders of the output, and the folders in them that are not listed.
_PARTLY_OWN = {"report": ("data", "names", "thumbnails"), "manifest": ("partitions",)}
_OWN = tuple(f"{folder}/{one}/" for folder, below in _PARTLY_OWN.items() for one in below)
_PICTURES = (*formats.EXTENSIONS, written_names.CHROMA_ENDING)


def branches(output: str) -> Iterator[Branch]:
    """Yield the parts of the output except those with thousands of files that are neither photos nor records."""
    for branch in listings.of_folder(output, divide=True):
        name = branch.path.rstrip("/").removeprefix(output.rstrip("/")).strip("/")
        # A page or a range of objects of the output itself has its path.
        if name in _PARTLY_OWN and not branch.page:
            below = listings.of_folder(branch.path)
            yield from (one for one in below if one.page or _end(one.path) not in _PARTLY_OWN[name])
        else:
            yield branch


def _end(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def listed(branch: Branch, output: str) -> Iterator[Source]:
    """Yield the files of a branch, named relative to the output, with fingerprints that are those of records.

    Raises:
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    for file in files(branch, output.rstrip("/") or "/"):
        if not file.fault and not (branch.span and file.name.startswith(_OWN)):
            yield replace(file, fingerprint=contents.listed(file))


def kind(file: Source, _: int) -> int:
    """Return 0 for records, 1 for a file that may be a photo, 2 for a file that a killed writer left."""
    if local_files.is_unfinished(file.name):
        return 2
    return 0 if manifest.has_records(file.name) else 1


def is_picture(file: Source) -> bool:
    """Return whether a file of the output has the name of a picture, or of the chroma of one."""
    return file.name.lower().endswith(_PICTURES)
